/** This process's garbage collector, called by hand: by the bench, the demo and the doctor, each where it says so. */
import { setImmediate as macrotask } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let gc: (() => void) | undefined;

/**
 * One full collection, now; without a `globalThis.gc`, which a script that is looked at would see. Not by
 * `{ type: 'major' }`: on Node 20 that runs a scavenge, which serves no registry.
 */
export function collect(): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc();
}

/** Collects until what is unreachable now has been noticed: what a WeakRef was made for in this job survives once. */
export async function collectAll(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await macrotask();
  }
}
