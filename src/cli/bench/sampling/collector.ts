/** This process's garbage collector, called by hand. */
import { setImmediate as macrotask } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let exposed: (() => void) | undefined = globalThis.gc as (() => void) | undefined;

/** One full collection, now. No `{ type: 'major' }`: on Node 20 that runs a scavenge, which serves no registry. */
export function collect(): void {
  if (exposed === undefined) {
    setFlagsFromString('--expose-gc');
    exposed = runInNewContext('gc') as () => void;
  }
  exposed();
}

/** Collects until what is unreachable now has been noticed: what a WeakRef was made for in this job survives once. */
export async function collectAll(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await macrotask();
  }
}
