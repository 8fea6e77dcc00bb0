/**
 * Runs `work` with another `Error.stackTraceLimit`, in this call only. Where the limit can't be set, as under
 * `--frozen-intrinsics` or where a program has made it read-only, the work is done with the one that there is.
 */
export function withStackTraceLimit<T>(limit: number, work: () => T): T {
  const before = Error.stackTraceLimit;
  if (typeof before !== 'number' || !setLimit(limit)) return work();
  try {
    return work();
  } finally {
    setLimit(before);
  }
}

function setLimit(limit: number): boolean {
  try {
    Error.stackTraceLimit = limit;
    return true;
  } catch {
    return false;
  }
}
