// A page that names things so that a careless report would run or paint them.
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
const logged = new Promise((resolve) => page.once('console', resolve));
await page.evaluate(() => {
  // No blanks, no quotes: V8 would not take it for the name of a source.
  const name = '</title></style><img/src=x/onerror=document.title=1>\u001b[31m\u202e';
  const source = `console.log({ a: 1 }, class Evil {});\n//# sourceURL=https://evil.test/${name}`;
  new Function(source)();
});
await logged;
await browser.close();
