// Handles that a script forgets. What each line leaves undisposed stands at its end: the test reads it from here.
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
await page.setContent(`<ul>${'<li>item</li>'.repeat(12)}</ul><button>press</button>`);

async function forget() {
  for (let i = 0; i < 40; i++) {
    await page.evaluateHandle(() => ({ big: new Array(25_000).fill(0.5) })); // leaks 40 object
  }
  const items = await page.$$('li'); // leaks 10 node
  await items[0].dispose();
  await items[1].dispose();
  await page.waitForFunction(() => [1]); // leaks 1 array
  page.$('ul').then((list) => list.$('li')); // leaks 2 node
  const parent = await page.evaluateHandle(() => ({ child: {}, method() {} }));
  await parent.getProperty('child'); // leaks 1 object
  await parent.getProperties(); // leaks 1 object, 1 function
  await parent.dispose();
}

async function beCareful() {
  const button = await page.waitForSelector('button');
  await button.click();
  await button.dispose();
  await page.click('button');
  await page.$$eval('li', (items) => items.length);
  await page.$eval('li', (item) => item.textContent);
  const handles = await Promise.all([page.$('li'), page.evaluateHandle(() => document.body)]);
  await Promise.all(handles.map((handle) => handle.dispose()));
  const lists = await page.$$('ul');
  for (const list of lists) await list.dispose();
  const found = await page.locator('button').waitHandle();
  await found.dispose();
}

await forget();
await beCareful();
const kept = await page.$('ul'); // leaks 1 node
console.log(await kept.evaluate((list) => list.children.length));
await browser.close();
