/** How many frames of its stack an `Error` takes down. Shared by all that makes errors whose stacks nobody reads, or reads far. */

/**
 * Runs `work` with another `Error.stackTraceLimit`. Where the limit cannot be set, as under `--frozen-intrinsics`, the work
 * runs with the one that is there.
 */
export function withStackTraceLimit<T>(limit: number, work: () => T): T {
  const before = Error.stackTraceLimit;
  if (typeof before !== 'number' || !setStackTraceLimit(limit)) return work();
  try {
    return work();
  } finally {
    setStackTraceLimit(before);
  }
}

function setStackTraceLimit(limit: number): boolean {
  try {
    Error.stackTraceLimit = limit;
    return true;
  } catch {
    return false;
  }
}
