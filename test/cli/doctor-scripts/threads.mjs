// Two threads that have a browser each, beside the main thread's.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
await page.evaluateHandle(() => [1]); // leaks 1 array
const threads = [1, 2].map(() => new Worker(new URL('threads-worker.mjs', import.meta.url)));
const codes = await Promise.all(threads.map((thread) => once(thread, 'exit')));
await browser.close();
process.exitCode = codes.flat().reduce((sum, code) => sum + code, 0);
