import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ExpiresImmediately,
  type Fetched,
  LazySlot,
  type LazySlotOptions,
} from '../../src/single-flight/index.ts';
import { type Deferred, deferred } from '../support/deferred.ts';
import { quiescence } from '../support/virtual-clock.ts';

let time: number;
let log: string[];
let options: LazySlotOptions;
beforeEach(() => {
  time = 1_000;
  log = [];
  const logger = {
    warn: (message: string) => log.push(`warn: ${message}`),
    error: (message: string) => log.push(`error: ${message}`),
  };
  options = { now: () => time, logger };
});

type Answer = Fetched<string> | Error;

/** A fetcher that gives one answer after the other; an Error is a fetch that fails. */
function answering(...answers: Answer[]) {
  return vi.fn(async (_previous: string | undefined): Promise<Fetched<string>> => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error('This fetch was not to happen');
    if (answer instanceof Error) throw answer;
    return answer;
  });
}

/** A fetcher whose every answer the test gives when it likes. */
function held() {
  const answers: Deferred<Fetched<string>>[] = [];
  const fetcher = vi.fn((_previous: string | undefined) => {
    const answer = deferred<Fetched<string>>();
    answers.push(answer);
    return answer.promise;
  });
  const answer = (nth: number): Deferred<Fetched<string>> => {
    const found = answers[nth];
    if (found === undefined) throw new Error(`No fetch number ${nth} has begun`);
    return found;
  };
  return { fetcher, answer };
}

const forAMinute = (value: string): Fetched<string> => ({ value, expiresInMs: 60_000 });

describe('the first fetch', () => {
  test('blocks; its value stays while fresh, and is fetched again after its expiry', async () => {
    const fetcher = answering(forAMinute('first'), forAMinute('second'));
    const slot = new LazySlot(fetcher, options);
    expect(await slot.get()).toBe('first');
    time += 59_999;
    expect(await slot.get()).toBe('first');
    time += 1;
    expect(await slot.get()).toBe('second');
    expect(fetcher.mock.calls).toEqual([[undefined], ['first']]);
  });

  test('is one for all who wait', async () => {
    const { fetcher, answer } = held();
    const slot = new LazySlot(fetcher, options);
    const calls = [slot.get(), slot.get(), slot.get()];
    await quiescence();
    answer(0).resolve(forAMinute('first'));
    expect(await Promise.all(calls)).toEqual(['first', 'first', 'first']);
    expect(fetcher).toHaveBeenCalledTimes(1);
  });

  test('that fails is an error, and the next one may succeed', async () => {
    const failure = new Error('Not yet');
    const slot = new LazySlot(answering(failure, forAMinute('first')), options);
    await expect(slot.get()).rejects.toBe(failure);
    expect(await slot.get()).toBe('first');
    // Its caller was told.
    expect(log).toEqual([]);
  });

  test('that fails gives those who wait their turn, one at a time and in their order', async () => {
    const { fetcher, answer } = held();
    const slot = new LazySlot(fetcher, options);
    const calls = [slot.get(), slot.get(), slot.get(), slot.get()];
    const outcomes = Promise.allSettled(calls);
    const failures = [new Error('First'), new Error('Second')];
    for (const [nth, failure] of failures.entries()) {
      await quiescence();
      expect(fetcher).toHaveBeenCalledTimes(nth + 1);
      answer(nth).reject(failure);
    }
    await quiescence();
    answer(2).resolve(forAMinute('third'));
    expect(await outcomes).toEqual([
      ...failures.map((reason) => ({ status: 'rejected', reason })),
      { status: 'fulfilled', value: 'third' },
      { status: 'fulfilled', value: 'third' },
    ]);
    expect(fetcher).toHaveBeenCalledTimes(3);
  });

  test('that blows up does not lock out those who wait', async () => {
    const bug = new TypeError('A bug');
    const fetcher = vi.fn((): Fetched<string> => {
      if (fetcher.mock.calls.length === 1) throw bug;
      return forAMinute('first');
    });
    const slot = new LazySlot(fetcher, options);
    const calls = await Promise.allSettled([slot.get(), slot.get()]);
    expect(calls).toEqual([
      { status: 'rejected', reason: bug },
      { status: 'fulfilled', value: 'first' },
    ]);
  });
});

describe('a refresh', () => {
  test('serves its one caller the fresh value, and the others the stale copy at once', async () => {
    const { fetcher, answer } = held();
    const slot = new LazySlot(fetcher, options);
    const first = slot.get();
    await quiescence();
    answer(0).resolve(forAMinute('stale'));
    await first;
    time += 60_000;

    const refreshing = slot.get();
    expect(await Promise.all([slot.get(), slot.get()])).toEqual(['stale', 'stale']);
    answer(1).resolve(forAMinute('fresh'));
    expect(await refreshing).toBe('fresh');
    expect(await slot.get()).toBe('fresh');
    expect(fetcher).toHaveBeenCalledTimes(2);
  });

  test('sets the expiry from the moment when it has ended', async () => {
    const { fetcher, answer } = held();
    const slot = new LazySlot(fetcher, options);
    const first = slot.get();
    await quiescence();
    time += 30_000;
    answer(0).resolve(forAMinute('first'));
    await first;
    time += 59_999;
    expect(await slot.get()).toBe('first');
  });

  test('that fails serves the stale value and sets the expiry to retryDelayMs from now', async () => {
    const fetcher = answering(forAMinute('stale'), new Error('Down'), forAMinute('fresh'));
    const slot = new LazySlot(fetcher, { ...options, retryDelayMs: 300 });
    await slot.get();
    time += 60_000;
    expect(await slot.get()).toBe('stale');
    time += 299;
    expect(await slot.get()).toBe('stale');
    expect(fetcher).toHaveBeenCalledTimes(2);
    time += 1;
    expect(await slot.get()).toBe('fresh');
  });

  test('that fails is tried again after 5 s unless told otherwise', async () => {
    const fetcher = answering(forAMinute('stale'), new Error('Down'), forAMinute('fresh'));
    const slot = new LazySlot(fetcher, options);
    await slot.get();
    time += 60_000;
    await slot.get();
    time += 4_999;
    expect(await slot.get()).toBe('stale');
    time += 1;
    expect(await slot.get()).toBe('fresh');
  });
});

describe('a fetcher that blows up on refresh', () => {
  test.each([
    [
      'a synchronous throw',
      () => {
        throw new TypeError('A bug');
      },
    ],
    ['a result that is none', () => undefined as unknown as Fetched<string>],
    ['an expiry that is none', () => ({ value: 'bad', expiresInMs: Number.NaN })],
    ['a negative expiry', async () => ({ value: 'bad', expiresInMs: -2 })],
  ])(
    '%s propagates, leaves value and expiry alone, no deadlock; the next call fetches again',
    async (_, bug) => {
      const fetcher = vi.fn<(previous: string | undefined) => Fetched<string> | Promise<Fetched<string>>>();
      fetcher.mockImplementationOnce(() => forAMinute('stale'));
      fetcher.mockImplementationOnce(bug);
      fetcher.mockImplementationOnce(() => forAMinute('fresh'));
      const slot = new LazySlot<string>(fetcher, options);
      await slot.get();
      time += 60_000;

      const refreshing = slot.get();
      refreshing.catch(() => {});
      // The call beside it is served, or fetches by itself where the bug was over within the call.
      expect(['stale', 'fresh']).toContain(await slot.get());
      await expect(refreshing).rejects.toThrow();
      expect(await slot.get()).toBe('fresh');
      expect(fetcher.mock.calls).toEqual([[undefined], ['stale'], ['stale']]);
      expect(log).toEqual([]);
    },
  );

  test('an expiry that is none is named', async () => {
    const slot = new LazySlot(() => ({ value: 'bad', expiresInMs: -2 }), options);
    await expect(slot.get()).rejects.toThrow(
      new RangeError('expiresInMs must be a number of milliseconds, 0 or -1, got -2'),
    );
  });
});

describe('values and expiries', () => {
  test.each([undefined, null, ''])('%o is a value, and the previous one at the refresh', async (empty) => {
    const fetcher = vi.fn((_previous: unknown) => ({ value: empty, expiresInMs: 10 }));
    const slot = new LazySlot<unknown>(fetcher, options);
    expect(await slot.get()).toBe(empty);
    expect(await slot.get()).toBe(empty);
    expect(fetcher).toHaveBeenCalledTimes(1);
    time += 10;
    expect(await slot.get()).toBe(empty);
    expect(fetcher.mock.calls).toEqual([[undefined], [empty]]);
  });

  test('a failed refresh of an empty value serves it, and does not wait like a first fetch', async () => {
    const fetcher = vi.fn<() => Promise<Fetched<undefined>>>();
    fetcher.mockResolvedValueOnce({ value: undefined, expiresInMs: 10 });
    fetcher.mockRejectedValueOnce(new Error('Down'));
    const slot = new LazySlot(fetcher, options);
    await slot.get();
    time += 10;
    expect(await slot.get()).toBeUndefined();
  });

  test('expiry 0 never expires', async () => {
    const slot = new LazySlot(answering({ value: 'eternal', expiresInMs: 0 }), options);
    await slot.get();
    time = Number.MAX_SAFE_INTEGER;
    expect(await slot.get()).toBe('eternal');
  });

  test('ExpiresImmediately is fetched again with no time passed, even if the clock is set back', async () => {
    const now = ['first', 'second', 'third'].map((value) => ({ value, expiresInMs: ExpiresImmediately }));
    const slot = new LazySlot(answering(...now), options);
    expect(await slot.get()).toBe('first');
    expect(await slot.get()).toBe('second');
    time -= 500;
    expect(await slot.get()).toBe('third');
    expect(ExpiresImmediately).toBe(-1);
  });
});

describe('the log', () => {
  test('warns on the first two failures in a row, errors from the third; a success resets', async () => {
    const down = new Error('Down');
    const stale = { value: 'stale', expiresInMs: 1 };
    const slot = new LazySlot(answering(stale, down, down, down, down, stale, down), options);
    for (let nth = 0; nth < 7; nth++) {
      await slot.get();
      time += 5_000;
    }
    expect(log.map((line) => line.split(';')[0])).toEqual([
      'warn: Refresh failed, 1 in a row',
      'warn: Refresh failed, 2 in a row',
      'error: Refresh failed, 3 in a row',
      'error: Refresh failed, 4 in a row',
      'warn: Refresh failed, 1 in a row',
    ]);
  });

  test('gets the error itself, and is called as a method', async () => {
    const down = new Error('Down');
    class Logger {
      readonly seen: unknown[] = [];
      warn(message: string, error: unknown): void {
        this.seen.push(message, error);
      }
      error = this.warn;
    }
    const logger = new Logger();
    const slot = new LazySlot(answering({ value: 'stale', expiresInMs: 1 }, down), { ...options, logger });
    await slot.get();
    time += 1;
    await slot.get();
    expect(logger.seen).toEqual([
      'Refresh failed, 1 in a row; the stale value is served for 5000 ms more',
      down,
    ]);
  });

  test('is silent without a logger', async () => {
    const printed = (['warn', 'error', 'log'] as const).map((level) => vi.spyOn(console, level));
    const down = new Error('Down');
    const fetcher = answering({ value: 'stale', expiresInMs: 1 }, down, down, down);
    const slot = new LazySlot(fetcher, { now: () => time });
    for (let nth = 0; nth < 4; nth++) {
      expect(await slot.get()).toBe('stale');
      time += 5_000;
    }
    for (const print of printed) expect(print).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('that throws neither wedges the slot nor hides the stale value', async () => {
    const fetcher = answering({ value: 'stale', expiresInMs: 1 }, new Error('Down'), forAMinute('fresh'));
    const warn = () => {
      throw new Error('Disk full');
    };
    const slot = new LazySlot(fetcher, { ...options, logger: { warn, error: warn } });
    await slot.get();
    time += 1;
    expect(await slot.get()).toBe('stale'); // Fetched in vain, and logged in vain.
    expect(await slot.get()).toBe('stale');
    time += 5_000;
    expect(await slot.get()).toBe('fresh');
  });
});

test('a bad retryDelayMs is refused by name and value', () => {
  for (const bad of [0, -5, Number.NaN]) {
    expect(() => new LazySlot(answering(), { retryDelayMs: bad })).toThrow(
      new RangeError(
        `retryDelayMs must be a number of milliseconds above 0 and at most 2147483647, got ${bad}`,
      ),
    );
  }
  expect(() => new LazySlot(answering(), { retryDelayMs: '5' as unknown as number })).toThrow(TypeError);
});

test('whatever happens: one fetch at a time, only fetched values are served, and nobody is left waiting', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('get' as const) },
    { weight: 2, arbitrary: fc.constantFrom('succeed' as const, 'fail' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('blow up at the next fetch' as const, 'a minute passes' as const),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let pending: Deferred<Fetched<string>> | undefined;
      let blowsUp = false;
      let fetches = 0;
      let unanswered = 0;
      let newest: string | undefined;
      const broken: string[] = [];
      const fetcher = (previous: string | undefined) => {
        if (pending !== undefined) broken.push('Two fetches at a time');
        if (previous !== newest) broken.push(`Given ${previous} to refresh, while ${newest} is there`);
        if (blowsUp) {
          blowsUp = false;
          throw new TypeError('A bug');
        }
        pending = deferred();
        return pending.promise;
      };
      const settle = async (isSuccess: boolean) => {
        const settling = pending;
        pending = undefined;
        if (settling === undefined) return;
        const value = `value ${++fetches}`;
        if (isSuccess) newest = value;
        if (isSuccess) settling.resolve(forAMinute(value));
        else settling.reject(new Error('Down'));
        await quiescence();
      };
      const slot = new LazySlot(fetcher, { now: () => time });
      const get = async () => {
        unanswered++;
        const hadValue = newest !== undefined;
        try {
          const value = await slot.get();
          if (value !== newest) broken.push(`Served ${value}, while ${newest} is there`);
        } catch (error) {
          if (hadValue && !(error instanceof TypeError)) broken.push('A failed refresh was not served stale');
        }
        unanswered--;
      };

      for (const next of steps) {
        if (next === 'get') {
          const before = unanswered;
          const isServable = newest !== undefined && pending !== undefined;
          void get();
          await quiescence();
          if (isServable && unanswered !== before) broken.push('A get beside a refresh had to wait');
        } else if (next === 'a minute passes') time += 60_000;
        else if (next === 'blow up at the next fetch') blowsUp = true;
        else await settle(next === 'succeed');
      }
      while (pending !== undefined) await settle(true);

      expect(broken).toEqual([]);
      expect(unanswered).toBe(0);
    }),
    { numRuns: 300 },
  );
});
