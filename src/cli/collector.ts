/** Runs this process's garbage collector, for the bench, the demo and the doctor. */
import { setImmediate as macrotask } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let gc: (() => void) | undefined;

/**
 * One full collection, now. It sets no `globalThis.gc`, which a script under examination would see. It does not use `{
 * type: 'major' }`: on Node 20 that runs a scavenge, which finds nothing for a registry.
 */
export function collect(): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc();
}

/**
 * Collects until all that is unreachable now was found: an object for which a WeakRef was made in this job survives once.
 */
export async function collectAll(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await macrotask();
  }
}
