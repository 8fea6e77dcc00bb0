/** Types of the lower rooms that each client's entry exports, so that a user can name what `attach` takes and gives. */
export type { FlushOptions, FlushReport } from '../batcher/flush.ts';
export type { AttachOptions } from '../handles/attach-options.ts';
export type { AttachmentStats } from '../handles/handle-table.ts';
export type { HandleScope, RunningScope } from '../handles/scope.ts';
export type { Leak } from '../observe/leak-report.ts';
