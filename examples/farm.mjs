// A worker that ends well. At SIGTERM it takes no new job, finishes those in hand, waits until what they left is released, and
// closes its browser. A second SIGTERM, or SIGKILL after the grace of your orchestrator, is for a job that hangs.
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';

const CONCURRENCY = 3;
const JOBS = Number(process.argv[2] ?? 12);

let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});

// Puppeteer's own listener would close the browser at once, under the jobs in hand.
const browser = await puppeteer.launch({ handleSIGTERM: false });
const releases = attach(browser);

/** Stands for your queue: BullMQ, SQS, a table. */
const queue = Array.from({ length: JOBS }, (_, number) => ({ number }));

async function work({ number }) {
  const page = await browser.newPage();
  try {
    await page.setContent(`<table>${'<tr><td>5</td></tr>'.repeat(50)}</table>`);
    for (const cell of await page.$$('td')) await cell.evaluate((node) => node.textContent);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    console.log(`done ${number}`);
  } finally {
    await page.close();
  }
}

async function takeJobs() {
  while (!isEnding && queue.length > 0) {
    const job = queue.shift();
    console.log(`begun ${job.number}`);
    await work(job);
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, takeJobs));
await releases.flush({ timeoutMs: 5_000 });
const { live, failed, timedOut, dropped } = releases.stats();
await browser.close();
console.log(
  `${queue.length} jobs are left to others; ${failed + timedOut + dropped} releases went wrong, ${live} handles live`,
);
