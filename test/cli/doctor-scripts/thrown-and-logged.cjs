// What a script cannot dispose of: errors thrown in the page, and what its console messages carry.
const required = require('puppeteer-core');
const puppeteer = required.default ?? required;

async function main() {
  const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
  const page = await browser.newPage();
  const messages = [];
  page.on('console', (message) => messages.push(message.text()));
  const uncaught = new Promise((resolve) => page.once('pageerror', resolve));
  for (let i = 0; i < 5; i++) {
    const failing = page.evaluate(() => Promise.reject(new TypeError('on purpose'))); // throws 5 error
    await failing.catch(() => {});
  }
  await page.evaluate(() => console.log({ a: 1 }, document)); // logs 1 object, 1 node
  await page.setContent('<script>setTimeout(() => { throw new RangeError("not caught"); });</script>');
  await uncaught;
  // Long enough for Puppeteer to have its poller in the page: one that comes later leaves an error.
  await page.waitForSelector('nothing', { timeout: 1_000 }).catch(() => {});
  const handle = await page.evaluateHandle(() => window);
  await handle.dispose();
  await browser.close();
  return messages.length;
}

main().then((count) => {
  process.exitCode = count === 1 ? 0 : 7;
});
