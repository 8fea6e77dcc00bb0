import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { guardInFlight, type InFlightSlot } from '../../src/single-flight/index.ts';
import { deferred } from '../support/deferred.ts';
import { quiescence } from '../support/virtual-clock.ts';

/** A slot that writes down what becomes of it. */
class RecordedSlot implements InFlightSlot {
  readonly events: unknown[] = [];
  readonly signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal) {
    this.signal = signal;
  }

  release(): void {
    this.events.push('released');
  }

  onOrphaned(error: unknown): void {
    this.events.push(error);
  }
}

const failure = new Error('The upstream is down');
const reason = new Error('Nobody waits any more');
const never = () => new Promise<never>(() => {});

let controller: AbortController;
beforeEach(() => {
  controller = new AbortController();
});

describe.each([
  ['without a signal', () => new RecordedSlot()],
  ['with a signal that never fires', () => new RecordedSlot(new AbortController().signal)],
])('%s', (_, claim) => {
  test('normal exit: the value comes back, released once, no orphan call', async () => {
    const slot = claim();
    expect(await guardInFlight(slot, async () => 'value')).toBe('value');
    expect(slot.events).toEqual(['released']);
  });

  test.each([
    ['a rejection', () => Promise.reject(failure)],
    [
      'a synchronous throw',
      () => {
        throw failure;
      },
    ],
  ])('a failure (%s): the same error comes out, orphan once, then released once', async (_kind, run) => {
    const slot = claim();
    await expect(guardInFlight(slot, run)).rejects.toBe(failure);
    expect(slot.events).toEqual([failure, 'released']);
  });

  test('the slot is held until the body ends, and free once its result is known', async () => {
    const slot = claim();
    const body = deferred<string>();
    const guarded = guardInFlight(slot, () => body.promise);
    await quiescence();
    expect(slot.events).toEqual([]);
    body.resolve('value');
    await guarded;
    expect(slot.events).toEqual(['released']);
  });

  test('a body that is not asynchronous will do, and undefined is a failure like others', async () => {
    expect(await guardInFlight(claim(), () => 1)).toBe(1);
    const slot = claim();
    await expect(guardInFlight(slot, () => Promise.reject(undefined))).rejects.toBeUndefined();
    expect(slot.events).toEqual([undefined, 'released']);
  });

  test('the body begins within the call: there is no gap between claim and run', () => {
    const run = vi.fn(never);
    void guardInFlight(claim(), run);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('without an orphan hook: released once', async () => {
    const { signal } = claim();
    const release = vi.fn();
    await expect(guardInFlight({ signal, release }, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(release).toHaveBeenCalledTimes(1);
  });

  test('with an orphan hook that does nothing: released once', async () => {
    const slot = claim();
    slot.onOrphaned = () => {};
    await expect(guardInFlight(slot, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(slot.events).toEqual(['released']);
  });

  test('neither hook is skipped by the failure of the other, and the body failure comes out', async () => {
    const slot = claim();
    const release = vi.spyOn(slot, 'release').mockImplementation(() => {
      throw new Error('Bad release');
    });
    const onOrphaned = vi.spyOn(slot, 'onOrphaned').mockImplementation(() => {
      throw new Error('Bad orphan hook');
    });
    await expect(guardInFlight(slot, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(onOrphaned).toHaveBeenCalledExactlyOnceWith(failure);
    expect(release).toHaveBeenCalledTimes(1);
  });

  test('a release that fails after a success is heard, and not retried', async () => {
    const slot = claim();
    const release = vi.spyOn(slot, 'release').mockImplementation(() => {
      throw new Error('Bad release');
    });
    const onOrphaned = vi.spyOn(slot, 'onOrphaned');
    await expect(guardInFlight(slot, () => 'value')).rejects.toThrow('Bad release');
    expect(release).toHaveBeenCalledTimes(1);
    expect(onOrphaned).not.toHaveBeenCalled();
  });
});

describe('an abort', () => {
  test('in mid-body: the follower is unblocked with the error, released once, within abort() itself', async () => {
    const slot = new RecordedSlot(controller.signal);
    const guarded = guardInFlight(slot, never);
    controller.abort(reason);
    expect(slot.events).toEqual([reason, 'released']);
    await expect(guarded).rejects.toBe(reason);
    expect(slot.events).toHaveLength(2);
  });

  test('between claim and run: released all the same, and the body does not begin', async () => {
    const slot = new RecordedSlot(AbortSignal.abort(reason));
    const run = vi.fn(never);
    await expect(guardInFlight(slot, run)).rejects.toBe(reason);
    expect(slot.events).toEqual([reason, 'released']);
    expect(run).not.toHaveBeenCalled();
  });

  test('by the body itself, before it first awaits: the reason comes out, released once', async () => {
    const slot = new RecordedSlot(controller.signal);
    const run = () => {
      controller.abort(reason);
      throw failure;
    };
    await expect(guardInFlight(slot, run)).rejects.toBe(reason);
    expect(slot.events).toEqual([reason, 'released']);
  });

  test.each(['resolve', 'reject'] as const)('a body that %ss later changes nothing any more', async (end) => {
    const slot = new RecordedSlot(controller.signal);
    const body = deferred<unknown>();
    const guarded = guardInFlight(slot, () => body.promise);
    controller.abort(reason);
    await expect(guarded).rejects.toBe(reason);
    // A rejection that nobody handled would fail the run.
    body[end](failure);
    await quiescence();
    expect(slot.events).toEqual([reason, 'released']);
  });

  test.each([() => 'value', () => Promise.reject(failure)])('after the end changes nothing', async (run) => {
    const slot = new RecordedSlot(controller.signal);
    await guardInFlight(slot, run).catch(() => {});
    const events = [...slot.events];
    controller.abort(reason);
    await quiescence();
    expect(slot.events).toEqual(events);
  });

  test('hooks that fail neither skip each other nor escape into abort()', async () => {
    const slot = new RecordedSlot(controller.signal);
    const release = vi.spyOn(slot, 'release').mockImplementation(() => {
      throw new Error('Bad release');
    });
    vi.spyOn(slot, 'onOrphaned').mockImplementation(() => {
      throw new Error('Bad orphan hook');
    });
    const guarded = guardInFlight(slot, never);
    controller.abort(reason);
    await expect(guarded).rejects.toBe(reason);
    expect(release).toHaveBeenCalledTimes(1);
  });

  test('a signal that outlives many bodies keeps no listener of theirs', async () => {
    const added = vi.spyOn(controller.signal, 'addEventListener');
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    for (let body = 0; body < 10; body++) {
      const run = body % 2 === 0 ? () => body : () => Promise.reject(failure);
      await guardInFlight(new RecordedSlot(controller.signal), run).catch(() => {});
    }
    expect(added.mock.calls.map(([, listener]) => listener)).toEqual(
      removed.mock.calls.map(([, listener]) => listener),
    );
    expect(added).toHaveBeenCalledTimes(10);
  });
});

test('in any order of end and abort: one release, the orphan hook before it, and both agree with the outcome', async () => {
  const step = fc.constantFrom('resolve', 'reject', 'abort', 'microtask', 'quiescence');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const { signal, abort } = abortable();
      const slot = new RecordedSlot(signal);
      const body = deferred<string>();
      const guarded = guardInFlight(slot, () => body.promise);
      const outcome = guarded.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      for (const next of steps) {
        if (next === 'resolve') body.resolve('value');
        else if (next === 'reject') body.reject(failure);
        else if (next === 'abort') abort();
        else if (next === 'microtask') await Promise.resolve();
        else await quiescence();
      }
      abort();

      const ended = await outcome;
      expect(slot.events).toEqual('error' in ended ? [ended.error, 'released'] : ['released']);
    }),
    { numRuns: 500 },
  );
});

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const own = new AbortController();
  return { signal: own.signal, abort: () => own.abort(reason) };
}
