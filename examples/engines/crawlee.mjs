// Crawlee: `launchContext.launcher` is the one place to change. With `--plain` it runs without, to see what leaks.
// Crawlee hands its hooks a Proxy of the browser; `attach` finds the browser behind it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration, LogLevel, log, PuppeteerCrawler } from '@crawlee/puppeteer';
import { attach, withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { launchOptions } from '../launch.mjs';
import { Count, isPlain, openShop, PAGES, report } from './site.mjs';

log.setLevel(LogLevel.ERROR);

const shop = await openShop();
const storage = await mkdtemp(join(tmpdir(), 'crawlee-'));
const count = new Count();
const browsersByHook = new Set();

const crawler = new PuppeteerCrawler(
  {
    launchContext: {
      launcher: isPlain ? puppeteer : withReleases(puppeteer),
      launchOptions,
    },
    browserPoolOptions: {
      retireBrowserAfterPageCount: PAGES / 2,
      postLaunchHooks: [
        (_pageId, { browser }) => {
          if (!isPlain) browsersByHook.add(attach(browser)); // The same attachment again.
        },
      ],
    },
    maxConcurrency: 3,
    maxRequestRetries: 0,
    requestHandler: ({ page }) => count.job(page),
  },
  new Configuration({ persistStorage: false, storageClientOptions: { localDataDirectory: storage } }),
);
await crawler.run(shop.urls);
await crawler.teardown();

const isRight = report('crawlee', count, count.stats());
process.exitCode = isRight && browsersByHook.size === count.browsers ? 0 : 1;
shop.close();
await rm(storage, { recursive: true });
