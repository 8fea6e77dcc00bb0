export type * from '../public-types.ts';
export { attach } from './attach.ts';
export {
  type GetBrowserOptions,
  type Launch,
  type LaunchedBrowser,
  type LazyBrowser,
  type LazyBrowserOptions,
  type LazyBrowserStats,
  lazyBrowser,
} from './lazy-browser.ts';
export type { PuppeteerAttachment } from './puppeteer-attachment.ts';
export { type PuppeteerLike, withReleases } from './with-releases.ts';
