/** Adds up the figures of several browsers for a thread, and of several threads for the process, line by line. */
import type { AttachmentStats } from '../../handles/handle-table.ts';
import type { Leak, TraceCost } from '../../observe/leak-report.ts';
import type { Changes, Sample, Snapshot } from './messages.ts';

/** Figures of one handle do not add up: of several browsers' figures the largest counts. */
const OF_ONE_HANDLE: readonly string[] = ['bytesPerHandle', 'pageBytesPerHandle'];

export function sumOfStats([first, ...others]: readonly AttachmentStats[]): AttachmentStats {
  const sum: Record<string, number> = { ...first };
  for (const stats of others) {
    for (const [name, count] of Object.entries(stats)) {
      const before = sum[name] ?? 0;
      sum[name] = OF_ONE_HANDLE.includes(name) ? Math.max(before, count) : before + count;
    }
  }
  const { commands = 0, released = 0 } = sum;
  sum.commandsPerFreedHandle = released === 0 ? 0 : commands / released;
  return sum as unknown as AttachmentStats;
}

export function sumOfCosts(costs: readonly TraceCost[]): TraceCost {
  let [stacks, elapsedMs] = [0, 0];
  for (const cost of costs) {
    stacks += cost.stacks;
    elapsedMs += cost.elapsedMs;
  }
  return { stacks, elapsedMs };
}

/** One line may have minted in several browsers, and in several threads. */
export function mergeLeaks(leaks: readonly Leak[]): Leak[] {
  const merged = new Map<string, Leak>();
  for (const leak of leaks) {
    const key = keyOf(leak);
    const other = merged.get(key);
    merged.set(key, other === undefined ? leak : sumOf(other, leak));
  }
  return [...merged.values()];
}

function sumOf(a: Leak, b: Leak): Leak {
  return {
    ...b,
    ...a,
    minted: a.minted + b.minted,
    disposed: a.disposed + b.disposed,
    collected: a.collected + b.collected,
    elided: a.elided + b.elided,
    live: a.live + b.live,
    ...(a.oldestMs === undefined && b.oldestMs === undefined
      ? {}
      : { oldestMs: Math.max(a.oldestMs ?? 0, b.oldestMs ?? 0) }),
  };
}

function keyOf({ source, kind, line }: Leak): string {
  return `${source} ${kind} ${line}`;
}

/** The last snapshot of a thread, with all later changes. */
interface ToldByThread {
  snapshot: Snapshot;
  readonly leaks: Map<string, Leak>;
}

/** The last snapshot of each thread. The occasion is the main thread's, if that has sent one. */
export class Threads {
  readonly #threads = new Map<number, ToldByThread>();
  readonly #samples = new Map<number, Sample>();

  addSnapshot(snapshot: Snapshot): void {
    const leaks = new Map(snapshot.leaks.map((leak) => [keyOf(leak), leak]));
    this.#threads.set(snapshot.thread, { snapshot, leaks });
  }

  /** Of a thread that has reported a browser before. */
  addChanges({ thread, elapsedMs, leaks }: Changes): void {
    const told = this.#threads.get(thread);
    if (told === undefined) return;
    for (const leak of leaks) {
      if (leak.minted > 0) told.leaks.set(keyOf(leak), leak);
      else told.leaks.delete(keyOf(leak));
    }
    told.snapshot = { ...told.snapshot, occasion: 'checkpoint', elapsedMs };
  }

  /** The present figures of the process; `undefined` where no thread has sent any. */
  snapshot(): Snapshot | undefined {
    const threads = [...this.#threads.values()];
    const all = threads.map(({ snapshot }) => snapshot);
    const first = this.#threads.get(0)?.snapshot ?? all[0];
    if (first === undefined) return undefined;
    return {
      ...first,
      elapsedMs: Math.max(...all.map(({ elapsedMs }) => elapsedMs)),
      browsers: all.reduce((sum, { browsers }) => sum + browsers, 0),
      attached: all.reduce((sum, { attached }) => sum + attached, 0),
      stats: sumOfStats(all.map(({ stats }) => stats)),
      leaks: mergeLeaks(threads.flatMap(({ leaks }) => [...leaks.values()])),
      cost: sumOfCosts(all.map(({ cost }) => cost)),
    };
  }

  addSample(sample: Sample): Sample {
    this.#samples.set(sample.thread, sample);
    const all = [...this.#samples.values()];
    return {
      ...sample,
      live: all.reduce((sum, { live }) => sum + live, 0),
      heapBytes: all.reduce((sum, { heapBytes }) => sum + heapBytes, 0),
    };
  }
}
