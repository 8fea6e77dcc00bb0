export type { BatchSettled } from './batcher/diagnostics.ts';
export type { FlushOptions, FlushReport } from './batcher/flush.ts';
export type { BatcherOptions } from './batcher/options.ts';
export type { ReleaseSession } from './batcher/release.ts';
export type { ReleaseGuard } from './batcher/release-batcher.ts';
export { ReleaseBatcher } from './batcher/release-batcher.ts';
export type { ReleaseStats } from './batcher/stats.ts';
export type { SweepDone } from './handles/groups.ts';
