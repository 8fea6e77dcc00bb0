/**
 * Which objects outlive all that refers to them. Needs `--expose-gc`, which vitest.config.ts sets.
 */
import { setImmediate as macrotask } from 'node:timers/promises';

/**
 * Collects this process's garbage until none of the objects is left, or nothing more is to be expected.
 *
 * A look at a `WeakRef` keeps what it finds until the job is over, so each collection has a job of its own.
 *
 * @returns the names of those that are left, sorted.
 */
export async function stillAlive(
  refs: Readonly<Record<string, WeakRef<object> | undefined>>,
  timeoutMs: number = 20_000,
): Promise<string[]> {
  const { gc } = globalThis;
  if (!gc) throw new Error('stillAlive needs node --expose-gc');
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    await macrotask();
    gc();
    await macrotask();
    const names = Object.keys(refs).filter((name) => refs[name]?.deref() !== undefined);
    if (names.length === 0 || performance.now() > deadline) return names.sort();
  }
}
