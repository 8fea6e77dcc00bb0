/**
 * What the code blocks of the documents leave to the reader: names that a script of his has already. A block that
 * declares one itself, or imports it, means its own.
 */
import type { PuppeteerAttachment } from 'cdp-release-batcher/puppeteer';
import type { BrowserContext as PlaywrightContext, Page as PlaywrightPage } from 'playwright-core';
import type { Browser, Page, PuppeteerNode } from 'puppeteer-core';

declare global {
  const puppeteer: PuppeteerNode;
  const browser: Browser;
  const page: Page;
  const releases: PuppeteerAttachment;

  const context: PlaywrightContext;
  const tab: PlaywrightPage;

  /** Whatever its client: one session of the protocol, and something in it. */
  const session: {
    send(method: string, params?: Record<string, unknown>): Promise<unknown>;
    on(event: string, listener: (params: unknown) => void): unknown;
  };
  const objectId: string;
  const objectGroup: string;
  const stream: string;

  interface Database {
    close(): Promise<void>;
  }
  function openDatabase(): Promise<Database>;
  function crawl(url: string, signal: AbortSignal): Promise<string>;
  interface Rates {
    readonly date: number;
  }
  function fetchRates(previous: Rates | undefined): Promise<Rates>;

  /** The file that a pool of workers runs, and what one of them is to parse. */
  const filename: string;
  const text: string;
}
