/** Several browsers make one account of a thread, and several threads one of the process: counts add up, line by line. */
import type { AttachmentStats } from '../../handles/ledger/ledger-stats.ts';
import type { Leak } from '../../observe/leak-report.ts';
import type { TraceCost } from '../../observe/trace-budget.ts';
import type { Sample, Snapshot } from './messages.ts';

/** What is told of one handle does not add up: of several browsers' figures the largest stands for all. */
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
  let [stacks, elapsedMs, skipped] = [0, 0, 0];
  for (const cost of costs) {
    stacks += cost.stacks;
    elapsedMs += cost.elapsedMs;
    skipped += cost.skipped;
  }
  return { stacks, elapsedMs, skipped };
}

/** One line may have minted in several browsers, and in several threads. */
export function mergeLeaks(leaks: readonly Leak[]): Leak[] {
  const merged = new Map<string, Leak>();
  for (const leak of leaks) {
    const key = `${leak.source} ${leak.kind} ${leak.line}`;
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

/** The last of each thread; the occasion is the main thread's, where it has told of one. */
export class Threads {
  readonly #snapshots = new Map<number, Snapshot>();
  readonly #samples = new Map<number, Sample>();

  /** @returns how the process stands. */
  addSnapshot(snapshot: Snapshot): Snapshot {
    this.#snapshots.set(snapshot.thread, snapshot);
    const all = [...this.#snapshots.values()];
    return {
      ...(this.#snapshots.get(0) ?? snapshot),
      elapsedMs: Math.max(...all.map(({ elapsedMs }) => elapsedMs)),
      browsers: all.reduce((sum, { browsers }) => sum + browsers, 0),
      stats: sumOfStats(all.map(({ stats }) => stats)),
      leaks: mergeLeaks(all.flatMap(({ leaks }) => leaks)),
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
