// A crawler of crawlee's, which finds Puppeteer itself, and wraps the browser in a Proxy.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration, LogLevel, log, PuppeteerCrawler } from '@crawlee/puppeteer';

log.setLevel(LogLevel.ERROR);
const storage = await mkdtemp(join(tmpdir(), 'crawlee-'));
const crawler = new PuppeteerCrawler(
  {
    launchContext: { launchOptions: JSON.parse(process.env.TEST_LAUNCH_OPTIONS) },
    maxConcurrency: 2,
    maxRequestRetries: 0,
    requestHandler: async ({ page }) => {
      await page.$('h1'); // leaks 4 node
      const title = await page.evaluateHandle(() => document.title);
      await title.dispose();
    },
  },
  new Configuration({ persistStorage: false, storageClientOptions: { localDataDirectory: storage } }),
);
const { createServer } = await import('node:http');
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<h1>Shop'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
await crawler.run([1, 2, 3, 4].map((index) => `http://127.0.0.1:${server.address().port}/${index}`));
await crawler.teardown();
server.close();
await rm(storage, { recursive: true });
