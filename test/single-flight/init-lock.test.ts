import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createInitLock,
  type InitLock,
  type InitLockOptions,
  type Init as InitOf,
  initWithLock,
  revokeClaim,
} from '../../src/single-flight/index.ts';
import { deferred } from '../support/deferred.ts';
import { quiescence, VirtualClock } from '../support/virtual-clock.ts';

type Init = InitOf<string>;

/** One lock and the one value that it guards. */
class Singleton {
  readonly clock = new VirtualClock();
  readonly lock: InitLock = createInitLock();
  cached: string | undefined;

  get(init: Init, options: InitLockOptions = {}): Promise<string> {
    const { now, sleep } = this.clock;
    const defaults = { deadlineMs: 1_000, maxWaitMs: 3_000, pollMs: 10, now, sleep };
    return initWithLock(this.lock, () => this.cached, init, { ...defaults, ...options });
  }

  /** An init that takes `ms`, and publishes only while it holds the claim. */
  slow(value: string, ms: number): Init {
    return async (isCurrentClaim) => {
      await this.clock.sleep(ms);
      if (isCurrentClaim()) this.cached = value;
      return value;
    };
  }

  get isFree(): boolean {
    return this.lock.ownerStartedAt === null;
  }
}

const dead: Init = () => new Promise<string>(() => {});
const unexpected: Init = () => {
  throw new Error('This init was not to run');
};

let singleton: Singleton;
beforeEach(() => {
  singleton = new Singleton();
});
afterEach(() => {
  expect(singleton.clock.sleeperCount).toBe(0);
});

describe('one init for all', () => {
  test('a cached value returns without init', async () => {
    singleton.cached = 'ready';
    expect(await singleton.get(unexpected)).toBe('ready');
    expect(singleton.lock).toEqual(createInitLock());
  });

  test('for concurrent callers init runs once and all get its value', async () => {
    const init = vi.fn(singleton.slow('made', 200));
    const calls = Array.from({ length: 20 }, () => singleton.get(init));
    await singleton.clock.drain();
    expect(await Promise.all(calls)).toEqual(Array(20).fill('made'));
    expect(init).toHaveBeenCalledTimes(1);
    expect(singleton.isFree).toBe(true);
  });

  test('a waiter picks up a value that is cached while it waits, whoever cached it', async () => {
    void singleton.get(dead);
    const waiter = singleton.get(unexpected);
    await singleton.clock.advance(100);
    singleton.cached = 'from elsewhere';
    await singleton.clock.advance(10);
    expect(await waiter).toBe('from elsewhere');
  });

  test('no promise of another caller is awaited: waiters poll', async () => {
    const then = vi.fn();
    // Only a thenable of its own sees who awaits it.
    void singleton.get(() => ({ then }) as unknown as PromiseLike<string>);
    const waiters = [singleton.get(singleton.slow('made', 0)), singleton.get(unexpected)];
    await singleton.clock.drain();
    expect(await Promise.all(waiters)).toEqual(['made', 'made']);
    // Once, by the owner itself.
    expect(then).toHaveBeenCalledTimes(1);
  });

  test('falsy values count as cached', async () => {
    const { now, sleep } = singleton.clock;
    for (const falsy of [0, '', false, Number.NaN]) {
      const fail = () => Promise.reject(new Error('Not cached'));
      expect(await initWithLock<unknown>(createInitLock(), () => falsy, fail, { now, sleep })).toBe(falsy);
    }
  });

  test('void counts as cached where isCached says so', async () => {
    const { now, sleep } = singleton.clock;
    const lock = createInitLock();
    let isMigrated = false;
    const migrate = vi.fn(() => {
      isMigrated = true;
    });
    const migrateOnce = () =>
      initWithLock<void>(lock, () => {}, migrate, { isCached: () => isMigrated, now, sleep });
    await migrateOnce();
    expect(await migrateOnce()).toBeUndefined();
    expect(migrate).toHaveBeenCalledTimes(1);
  });
});

describe('an owner that fails', () => {
  test('a throwing init frees the lock, its error propagates, and the next caller tries again', async () => {
    const error = new Error('No such luck');
    await expect(singleton.get(() => Promise.reject(error))).rejects.toBe(error);
    expect(singleton.isFree).toBe(true);
    expect(await singleton.get(() => 'second try')).toBe('second try');
  });

  test('a waiter behind a failed init runs its own', async () => {
    const error = new Error('No such luck');
    const owner = singleton.get(async () => {
      await singleton.clock.sleep(100);
      throw error;
    });
    owner.catch(() => {});
    const waiter = singleton.get(singleton.slow('second try', 0));
    await singleton.clock.drain();
    await expect(owner).rejects.toBe(error);
    expect(await waiter).toBe('second try');
  });

  test('a synchronous throw of init becomes a rejection, after the anchor is attached', async () => {
    const events: string[] = [];
    const call = singleton.get(
      () => {
        events.push('init');
        throw new Error('At once');
      },
      { anchor: (inFlight) => events.push('anchored') && void inFlight.then(() => events.push('ended')) },
    );
    await expect(call).rejects.toThrow('At once');
    expect(events).toEqual(['anchored', 'init', 'ended']);
    expect(singleton.isFree).toBe(true);
  });
});

describe('an owner that is dead or slow', () => {
  test('an owner that never settles is replaced past the deadline', async () => {
    void singleton.get(dead);
    const waiter = singleton.get(singleton.slow('made', 0));
    await singleton.clock.advance(1_000);
    expect(singleton.lock.generation).toBe(1);
    await singleton.clock.advance(10);
    expect(singleton.lock.generation).toBe(2);
    await singleton.clock.drain();
    expect(await waiter).toBe('made');
  });

  test('an owner whose finally blocks never ran, as of a request that was dropped, is replaced too', async () => {
    singleton.lock.ownerStartedAt = singleton.clock.now() - 1_001;
    expect(await singleton.get(() => 'made')).toBe('made');
    expect(singleton.isFree).toBe(true);
  });

  test('past maxWaitMs a waiter fails with an error that says it timed out', async () => {
    void singleton.get(dead);
    // Two more owners die in its way.
    void singleton.get(dead);
    void singleton.get(dead);
    const last = singleton.get(unexpected);
    last.catch(() => {});
    await singleton.clock.drain();
    await expect(last).rejects.toMatchObject({
      name: 'SingleFlightError',
      code: 'ERR_INIT_LOCK_TIMED_OUT',
      message: "Timed out after 3010 ms of waiting for another caller's init (maxWaitMs: 3000)",
    });
    // It has not freed a lock that was never its own.
    expect(singleton.isFree).toBe(false);
  });

  test('a slow, living owner is replaced by one waiter only, and a third caller is served from the cache', async () => {
    const slow = singleton.get(singleton.slow('slow', 1_500));
    const reclaimer = singleton.get(singleton.slow('current', 900));
    const third = singleton.get(unexpected);
    await singleton.clock.drain();
    expect(await Promise.all([slow, reclaimer, third])).toEqual(['slow', 'current', 'current']);
    expect(singleton.lock.generation).toBe(2);
    expect(await singleton.get(unexpected)).toBe('current');
  });

  test('isCurrentClaim is true, then false after the reclaim, so that a slow owner cannot overwrite', async () => {
    const claims: (() => boolean)[] = [];
    const owner = singleton.get((isCurrentClaim, claim) => {
      claims.push(isCurrentClaim);
      return singleton.slow('stale', 2_000)(isCurrentClaim, claim);
    });
    await quiescence();
    expect(claims[0]?.()).toBe(true);
    const reclaimer = singleton.get(singleton.slow('current', 0));
    await singleton.clock.advance(1_020);
    expect(claims[0]?.()).toBe(false);
    await singleton.clock.drain();
    expect(await Promise.all([owner, reclaimer])).toEqual(['stale', 'current']);
    expect(singleton.cached).toBe('current');
  });

  test.each([
    ['finishes', () => 'stale'],
    ['fails', () => Promise.reject(new Error('Stale'))],
  ])('a stale owner that %s does not free the claim of its reclaimer', async (_, end: Init) => {
    const owner = singleton.get(async (...claim) => {
      await singleton.clock.sleep(1_200);
      return end(...claim);
    });
    owner.catch(() => {});
    const reclaimer = singleton.get(singleton.slow('current', 900));
    await singleton.clock.advance(1_300);
    expect(singleton.lock.generation).toBe(2);
    expect(singleton.isFree).toBe(false);
    const third = singleton.get(unexpected);
    await singleton.clock.drain();
    expect(await Promise.all([reclaimer, third])).toEqual(['current', 'current']);
    expect(singleton.isFree).toBe(true);
  });

  test('a revoked claim is stale at once, and the lock is free for the next caller', async () => {
    const owner = singleton.get(singleton.slow('stale', 100));
    await quiescence();
    revokeClaim(singleton.lock);
    expect(singleton.isFree).toBe(true);
    await singleton.clock.drain();
    expect(await owner).toBe('stale');
    expect(singleton.cached).toBeUndefined();
    expect(await singleton.get(() => 'next')).toBe('next');
  });
});

describe('the anchor', () => {
  test('gets the in-flight promise with its rejection swallowed', async () => {
    const anchor = vi.fn<(inFlight: Promise<void>) => void>();
    const call = singleton.get(() => Promise.reject(new Error('Swallowed')), { anchor });
    await expect(call).rejects.toThrow('Swallowed');
    expect(anchor).toHaveBeenCalledTimes(1);
    expect(await anchor.mock.calls[0]?.[0]).toBeUndefined();
  });

  test('its promise ends after the lock was freed', async () => {
    const init = deferred<string>();
    let freeAtTheEnd: boolean | undefined;
    const anchor = (inFlight: Promise<void>) =>
      void inFlight.then(() => {
        freeAtTheEnd = singleton.isFree;
      });
    const call = singleton.get(() => init.promise, { anchor });
    await quiescence();
    expect(freeAtTheEnd).toBeUndefined();
    init.resolve('made');
    await call;
    await quiescence();
    expect(freeAtTheEnd).toBe(true);
  });

  test('is not called by those who wait', async () => {
    const anchor = vi.fn();
    void singleton.get(singleton.slow('made', 100), { anchor });
    const waiter = singleton.get(unexpected, { anchor });
    await singleton.clock.drain();
    await waiter;
    expect(anchor).toHaveBeenCalledTimes(1);
  });

  test('throws to its caller only: the init still runs to its end under the lock', async () => {
    const call = singleton.get(singleton.slow('made', 100), {
      anchor: () => {
        throw new Error('Illegal invocation');
      },
    });
    await expect(call).rejects.toThrow('Illegal invocation');
    expect(singleton.isFree).toBe(false);
    const waiter = singleton.get(unexpected);
    await singleton.clock.drain();
    expect(await waiter).toBe('made');
    expect(singleton.isFree).toBe(true);
  });
});

describe('waiting', () => {
  test('a signal ends the wait at once, with its reason, and leaves the owner alone', async () => {
    const owner = singleton.get(singleton.slow('made', 100));
    const controller = new AbortController();
    const waiter = singleton.get(unexpected, { signal: controller.signal });
    waiter.catch(() => {});
    await singleton.clock.advance(5);
    controller.abort(new Error('Enough'));
    await expect(waiter).rejects.toThrow('Enough');
    await singleton.clock.drain();
    expect(await owner).toBe('made');
  });

  test('a signal that has fired before the call claims nothing', async () => {
    const signal = AbortSignal.abort(new Error('Too late'));
    await expect(singleton.get(unexpected, { signal })).rejects.toThrow('Too late');
    expect(singleton.lock.generation).toBe(0);
  });

  test('a signal does not stop an init that has begun', async () => {
    const controller = new AbortController();
    const owner = singleton.get(singleton.slow('made', 100), { signal: controller.signal });
    await singleton.clock.advance(50);
    controller.abort();
    await singleton.clock.drain();
    expect(await owner).toBe('made');
  });

  test('how long a call has waited is told once, before its own init begins', async () => {
    const events: unknown[] = [];
    const note = (name: string) => (waitedMs: number) => events.push([name, waitedMs]);
    const failing = singleton.get(
      async () => {
        await singleton.clock.sleep(95);
        throw new Error('Failed');
      },
      { onWaited: note('owner') },
    );
    failing.catch(() => {});
    const next = singleton.get(
      (...claim) => {
        events.push('init');
        return singleton.slow('made', 30)(...claim);
      },
      { onWaited: note('next') },
    );
    const served = singleton.get(unexpected, { onWaited: note('served') });
    await singleton.clock.drain();
    await Promise.all([next, served]);
    expect(events).toEqual([['next', 100], 'init', ['served', 130]]);
  });

  test('a wait that was cut short or in vain is told as well', async () => {
    const onWaited = vi.fn();
    const controller = new AbortController();
    void singleton.get(dead);
    const aborted = singleton.get(unexpected, { onWaited, signal: controller.signal });
    aborted.catch(() => {});
    await singleton.clock.advance(25);
    controller.abort();
    await expect(aborted).rejects.toThrow('aborted');
    expect(onWaited.mock.calls).toEqual([[25]]);
  });

  test('an onWaited that throws leaves the lock free', async () => {
    const owner = singleton.get(() => Promise.reject(new Error('Failed')));
    const waiter = singleton.get(unexpected, {
      onWaited: () => {
        throw new Error('Bad hook');
      },
    });
    waiter.catch(() => {});
    await expect(owner).rejects.toThrow('Failed');
    await singleton.clock.drain();
    await expect(waiter).rejects.toThrow('Bad hook');
    expect(singleton.isFree).toBe(true);
  });
});

describe('nested locks', () => {
  test('compose where the inner deadline is below the outer one', async () => {
    const inner = new Singleton();
    const call = singleton.get((_, within) => inner.get(() => 'inner', { deadlineMs: 500, within }));
    expect(await call).toBe('inner');
  });

  test('are refused where it is not, and where a lock is taken inside itself', async () => {
    const inner = new Singleton();
    await expect(
      singleton.get((_, within) => inner.get(unexpected, { deadlineMs: 1_001, within })),
    ).rejects.toThrow(new RangeError("deadlineMs must be below the enclosing lock's (1000), got 1001"));
    await expect(singleton.get((_, within) => singleton.get(unexpected, { within }))).rejects.toThrow(
      new RangeError("deadlineMs must be below the enclosing lock's (1000), got 1000"),
    );
    expect(singleton.isFree && inner.isFree).toBe(true);
  });
});

describe('a bad option', () => {
  const range = 'must be a number of milliseconds above 0 and at most 2147483647';

  test.each(['deadlineMs', 'pollMs', 'maxWaitMs'])('%s is refused by name and value', async (name) => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      await expect(singleton.get(unexpected, { [name]: bad })).rejects.toThrow(
        new RangeError(`${name} ${range}, got ${bad}`),
      );
    }
    await expect(singleton.get(unexpected, { [name]: '15' })).rejects.toThrow(
      new TypeError(`${name} ${range}, got "15"`),
    );
    await expect(singleton.get(unexpected, { [name]: null })).rejects.toThrow(TypeError);
    expect(singleton.lock).toEqual(createInitLock());
  });

  test('a wait too short to outlive a dead owner is refused', async () => {
    await expect(singleton.get(unexpected, { deadlineMs: 500, maxWaitMs: 500 })).rejects.toThrow(
      new RangeError('maxWaitMs must exceed deadlineMs (500), got 500'),
    );
  });

  test('is refused even when a value is cached, lest it be found on the day the cache is empty', async () => {
    singleton.cached = 'ready';
    await expect(singleton.get(unexpected, { pollMs: -5 })).rejects.toThrow(RangeError);
  });
});

describe('by default', () => {
  test('an owner dies after 15 s, a waiter looks every 50 ms', async () => {
    const { now, sleep } = singleton.clock;
    const lock = createInitLock();
    const looks = vi.fn(() => undefined);
    void initWithLock<string>(lock, () => undefined, dead, { now, sleep });
    const waiter = initWithLock<string>(lock, looks, () => 'made', { now, sleep });
    await singleton.clock.advance(15_000);
    expect(lock.generation).toBe(1);
    expect(looks).toHaveBeenCalledTimes(15_000 / 50 + 1);
    await singleton.clock.advance(50);
    expect(await waiter).toBe('made');
  });

  test('a waiter gives up 15 s after the deadline', async () => {
    const { now, sleep } = singleton.clock;
    const lock = createInitLock();
    const onWaited = vi.fn();
    void initWithLock<string>(lock, () => undefined, dead, { now, sleep });
    const waiter = initWithLock<string>(lock, () => undefined, unexpected, { now, sleep, onWaited });
    waiter.catch(() => {});
    // Others keep the lock from it, each by a claim of its own.
    for (let second = 0; second < 30; second++) {
      await singleton.clock.advance(1_000);
      lock.ownerStartedAt = now();
    }
    await singleton.clock.drain();
    await expect(waiter).rejects.toMatchObject({ code: 'ERR_INIT_LOCK_TIMED_OUT' });
    expect(onWaited.mock.calls).toEqual([[30_050]]);
  });
});

describe('whatever the callers and their inits do', () => {
  const caller = fc.record({
    arrivesAt: fc.integer({ min: 0, max: 5_000 }),
    initMs: fc.integer({ min: 0, max: 2_500 }),
    ending: fc.constantFrom('value', 'failure', 'never'),
  });

  test('one claim at a time, one publication, nobody is left waiting, the lock is freed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 8 }), async (callers) => {
        const { clock } = singleton;
        singleton.lock.ownerStartedAt = null;
        singleton.cached = undefined;
        let current: { readonly startedAt: number; hasEnded: boolean } | undefined;
        let unanswered = 0;
        let publications = 0;
        // Collected, for a throw inside an init would pass for one of the failures.
        const broken: string[] = [];

        for (const { arrivesAt, initMs, ending } of callers) {
          const init: Init = async (isCurrentClaim) => {
            if (singleton.cached !== undefined) broken.push('An init began though a value was cached');
            const isOverlap = current && !current.hasEnded && clock.now() - current.startedAt <= 1_000;
            if (isOverlap) broken.push('An init began beside one that was within its deadline');
            const own = { startedAt: clock.now(), hasEnded: false };
            current = own;
            await clock.sleep(initMs);
            if (ending === 'never') {
              unanswered--;
              return new Promise<string>(() => {});
            }
            own.hasEnded = true;
            if (isCurrentClaim() !== (current === own)) broken.push('A claim was wrong about itself');
            if (ending === 'failure') throw new Error('Failed');
            if (isCurrentClaim()) {
              publications++;
              singleton.cached = 'made';
            }
            return 'made';
          };
          const answered = () => unanswered--;
          unanswered++;
          void clock.sleep(arrivesAt).then(() => singleton.get(init).then(answered, answered));
        }
        await clock.drain();

        expect(broken).toEqual([]);
        expect(unanswered).toBe(0);
        expect(publications).toBe(singleton.cached === undefined ? 0 : 1);
        expect(singleton.isFree).toBe(current === undefined || current.hasEnded);
      }),
      { numRuns: 200 },
    );
  });
});
