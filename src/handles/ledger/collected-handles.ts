/**
 * What the finalizers find. All those of a collection run in one job, which nothing can slice, so that each only makes
 * a note: of a hundred thousand records none is in the processor's cache, and to fetch them is most of what they cost.
 * The notes are gone through when that job is over, which is how the browser hears of them soonest; what there is no
 * time for goes on turn by turn.
 *
 * There is one of this for all attachments, and the finalizer is bound to none: V8 throws optimised code away with an
 * object that it was made for.
 */
import { TURN_BUDGET_MS } from '../../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../../timers.ts';
import type { HandleRecord } from './handle-record.ts';

/** Notes are gone through so many at a time, with a look at the clock after each time. */
const MOST_PER_STEP = 512;
/** What the notes have of the turn in which they were made; the rest of its budget is left to its jobs. */
const AT_ONCE_MS = TURN_BUDGET_MS / 2;

const full: HandleRecord[][] = [];
let filling: HandleRecord[] = [];
/** Whether it is seen to that they are taken. */
let isAnnounced = false;

const job = new SlicedJob(takeUntil);

/** The finalizer. It must not throw: V8 would put the rest off. */
export function onCollected(record: HandleRecord): void {
  const notes = filling.push(record);
  if (notes === 1 && !isAnnounced) announce();
  if (notes === MOST_PER_STEP) {
    full.push(filling);
    filling = [];
  }
}

/** Sees to all that was collected, in this very call. */
export function takeCollected(): void {
  takeUntil(Number.POSITIVE_INFINITY);
}

/** Resolves when nothing waits that was collected by now. */
export async function collectedTaken(): Promise<void> {
  // Finalizers run before the next immediate: what was collected by now is noted.
  do await new Promise((resolve) => setImmediate(resolve));
  while (isWaiting());
}

function announce(): void {
  isAnnounced = true;
  void afterThisJob(takeAtOnce);
}

function takeAtOnce(): void {
  const begunAt = monotonicNow();
  if (!takeUntil(begunAt + AT_ONCE_MS)) job.schedule();
  chargeTurn(monotonicNow() - begunAt);
}

/** @returns whether nothing is left. */
function takeUntil(deadline: number): boolean {
  do take(full.shift() ?? takeFilling());
  while (isWaiting() && monotonicNow() < deadline);
  isAnnounced = isWaiting();
  return !isAnnounced;
}

function isWaiting(): boolean {
  return full.length > 0 || filling.length > 0;
}

function takeFilling(): readonly HandleRecord[] {
  const records = filling;
  filling = [];
  return records;
}

function take(records: readonly HandleRecord[]): void {
  let next = 0;
  for (let record = records[0]; record !== undefined; record = records[next]) {
    if (record.context !== undefined) next = record.context.ledger.releases.collect(records, next);
    else {
      record.unburden(); // It ended before its object did.
      next++;
    }
  }
}
