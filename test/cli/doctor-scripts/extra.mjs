// puppeteer-extra with a plugin that has a lot to say to each page. It requires Puppeteer itself.
import puppeteer from 'puppeteer-extra';
import stealth from 'puppeteer-extra-plugin-stealth';

puppeteer.use(stealth());
const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
for (let index = 0; index < 3; index++) {
  const page = await browser.newPage();
  await page.goto('data:text/html,<ul><li>a<li>b</ul>');
  await page.evaluateHandle(() => [navigator.webdriver]); // leaks 3 array
  const items = await page.$$('li'); // leaks 3 node
  await items[0].dispose();
  await page.close();
}
await browser.close();
