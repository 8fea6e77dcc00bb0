// Holds handles by sessions that it made itself: ten in a page, seven in its worker. Some of Puppeteer's own as well.
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
await page.setContent('<ul><li>a</ul>');
const started = new Promise((resolve) => page.once('workercreated', resolve));
await page.evaluate("globalThis.worker = new Worker(URL.createObjectURL(new Blob(['self.x = 1'])))");
await started;
const kept = [await page.$('li'), await page.workers()[0].evaluateHandle(() => ({}))];

if (process.argv[2] !== 'alone') {
  const session = await page.createCDPSession();
  for (let time = 0; time < 10; time++) await session.send('Runtime.evaluate', { expression: '({})' });
  const ofBrowser = await browser.target().createCDPSession();
  const { targetInfos } = await ofBrowser.send('Target.getTargets');
  const { targetId } = targetInfos.find(({ type }) => type === 'worker');
  const { sessionId } = await ofBrowser.send('Target.attachToTarget', { targetId, flatten: true });
  const ofWorker = ofBrowser.connection().session(sessionId);
  for (let time = 0; time < 7; time++) await ofWorker.send('Runtime.evaluate', { expression: '({})' });
}
if (process.argv[2] === 'exit') process.exit();
await browser.close();
console.log(kept.length);
