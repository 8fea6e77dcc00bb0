export type * from '../public-types.ts';
export type { SessionAttachment } from '../session-attachment.ts';
export { attach } from './attach.ts';
export type { PlaywrightSession } from './cdp-session.ts';
export type { PlaywrightAttachment } from './playwright-attachment.ts';
export { type BrowserTypeLike, type PlaywrightLike, withReleases } from './with-releases.ts';
