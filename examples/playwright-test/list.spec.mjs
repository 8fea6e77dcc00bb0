import { expect, test } from './no-leaks.mjs';

const LIST = '<ul><li>a</li><li>b</li></ul>';

test('reads a list by locators', async ({ page }) => {
  await page.setContent(LIST);
  await expect(page.locator('li')).toHaveText(['a', 'b']);
  await page.locator('li').first().click();
});

test('disposes of what it asks for', async ({ page }) => {
  await page.setContent(LIST);
  const item = await page.$('li');
  expect(await item.textContent()).toBe('a');
  await item.dispose();
});

test('is found out where it does not', async ({ page }) => {
  test.fail(); // As the fixture sees to.
  await page.setContent(LIST);
  await page.$$('li');
});
