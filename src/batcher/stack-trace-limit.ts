/**
 * Runs `work` with another `Error.stackTraceLimit`, in this call only. Where the limit can't be set, as under
 * `--frozen-intrinsics`, the work is done with the one that there is.
 */
export function withStackTraceLimit<T>(limit: number, work: () => T): T {
  const before = Error.stackTraceLimit;
  const isAdjustable = typeof before === 'number' && !Object.isFrozen(Error);
  if (isAdjustable) Error.stackTraceLimit = limit;
  try {
    return work();
  } finally {
    if (isAdjustable) Error.stackTraceLimit = before;
  }
}
