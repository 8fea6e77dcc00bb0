// A thread with a browser of its own, terminated as it says that it is done.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import puppeteer from 'puppeteer-core';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve) => worker.on('message', () => worker.terminate().then(resolve)));
} else {
  const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
  const page = await browser.newPage();
  globalThis.kept = [];
  for (let count = 0; count < 3; count++) kept.push(await page.evaluateHandle(() => ({}))); // leaks 3 object
  for (let count = 0; count < 3; count++) await (await page.evaluateHandle(() => ({}))).dispose();
  await browser.close();
  for (let count = 0; count < 2; count++) kept.pop();
  parentPort.postMessage('done');
}
