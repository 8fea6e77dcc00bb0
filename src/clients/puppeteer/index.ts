export type { FlushOptions } from '../../batcher/flush.ts';
export type { FlushReport } from '../../batcher/stats.ts';
export type { AttachOptions } from '../../handles/attach-options.ts';
export type { HandleScope } from '../../handles/handle-scope.ts';
export type { AttachmentStats } from '../../handles/ledger-stats.ts';
export type { Leak } from '../../observe/leak-report.ts';
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
