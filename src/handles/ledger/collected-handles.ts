/**
 * What the finalizers find. All those of a collection run in one job, which nothing can slice: the first drop their
 * handles themselves, which is how the browser hears of them soonest, and when they have had their time the others leave
 * theirs to a job that is done in slices. Those do not so much as look at a record: of a hundred thousand none is in the
 * processor's cache, and to fetch each is most of what it costs.
 *
 * There is one of this for all attachments, and the finalizer is bound to none: V8 throws optimised code away with an
 * object that it was made for.
 *
 * Invariant: a finalizer does not throw; V8 would put the rest off.
 */
import { RingQueue } from '../../batcher/ring-queue.ts';
import { SlicedJob } from '../../batcher/sliced-job.ts';
import type { HandleRecord } from './handle-record.ts';

/** How long finalizers may go on dropping in one job. */
const FINALIZERS_MS = 2;
/** How many steps are taken between two looks at the clock. */
const STEPS_PER_LOOK = 256;

const waiting = new RingQueue<HandleRecord>();
/** Finalizers that ran since the last slice, and when they have had their time. */
let finalized = 0;
let finalizersEndAt = 0;

const job = new SlicedJob((deadline) => {
  finalized = 0;
  for (let step = 1; ; step++) {
    const record = waiting.shift();
    if (record === undefined) return true;
    collect(record);
    if (step % STEPS_PER_LOOK === 0 && performance.now() >= deadline) return waiting.size === 0;
  }
});

/** The finalizer. */
export function onCollected(record: HandleRecord): void {
  if (finalized % STEPS_PER_LOOK === 0) {
    const now = performance.now();
    if (finalized === 0) {
      finalizersEndAt = now + FINALIZERS_MS;
      job.schedule();
    } else if (now >= finalizersEndAt) finalizersEndAt = 0;
  }
  finalized++;
  if (finalizersEndAt > 0 && isCheapToDrop(record)) collect(record);
  else waiting.push(record);
}

/** Sees to all that was collected, in this very call. */
export function takeCollected(): void {
  for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) collect(record);
}

/** Resolves when nothing waits that was collected by now. */
export async function collectedTaken(): Promise<void> {
  // Finalizers run before the next immediate: what was collected by now is seen.
  do await new Promise((resolve) => setImmediate(resolve));
  while (waiting.size > 0);
}

/** A member of a group of ours costs a few numbers, once the group is noted. */
function isCheapToDrop(record: HandleRecord): boolean {
  return record.group?.owner === 'own' && record.origin === undefined;
}

function collect(record: HandleRecord): void {
  record.context.ledger.releases.onCollected(record);
}
