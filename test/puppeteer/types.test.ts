// What a TypeScript user writes compiles, with the types of either Puppeteer as they are. Checked by `tsc`, run by nobody.
import type { Browser, BrowserContext, CDPSession, Page, PuppeteerNode } from 'puppeteer-core';
import type {
  Browser as Browser24,
  BrowserContext as BrowserContext24,
  CDPSession as CDPSession24,
  Page as Page24,
  PuppeteerNode as PuppeteerNode24,
} from 'puppeteer-core-24';
import { describe, expectTypeOf, it } from 'vitest';
import {
  type attach,
  type HandleScope,
  type PuppeteerAttachment,
  withReleases,
} from '../../src/clients/puppeteer/index.ts';

describe('the types of puppeteer-core', () => {
  it('fit attach', () => {
    type Accepted = Parameters<typeof attach>[0];
    expectTypeOf<Browser | BrowserContext | Page | CDPSession>().toExtend<Accepted>();
    expectTypeOf<Browser24 | BrowserContext24 | Page24 | CDPSession24>().toExtend<Accepted>();
  });

  it('fit what an attachment is asked', () => {
    type Asked = Parameters<PuppeteerAttachment['openScope']>[0];
    expectTypeOf<Page | Page24>().toExtend<Asked>();
    expectTypeOf<ReturnType<PuppeteerAttachment['openScope']>>().toEqualTypeOf<HandleScope>();
  });

  it('come out of withReleases as they went in', () => {
    const wrap = (node: PuppeteerNode, node24: PuppeteerNode24) =>
      [withReleases(node), withReleases(node24)] as const;
    expectTypeOf(wrap).returns.toEqualTypeOf<readonly [PuppeteerNode, PuppeteerNode24]>();
  });
});
