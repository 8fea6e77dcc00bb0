import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FlightGroup } from '../../src/single-flight/index.ts';
import { deferred } from '../support/deferred.ts';
import { quiescence } from '../support/virtual-clock.ts';

class UpstreamDown extends Error {}

const unexpected = () => {
  throw new Error('This call was to follow');
};

let group: FlightGroup<string, string>;
let controller: AbortController;
beforeEach(() => {
  group = new FlightGroup();
  controller = new AbortController();
});
afterEach(() => {
  expect(group.size).toBe(0);
});

test('followers share the value of their leader', async () => {
  const leader = deferred<string>();
  const calls = [group.run('key', () => leader.promise), group.run('key', unexpected)];
  expect(group.size).toBe(1);
  leader.resolve('shared');
  expect(await Promise.all(calls)).toEqual(['shared', 'shared']);
});

test('followers share a typed failure, the very same', async () => {
  const failure = new UpstreamDown();
  const leader = deferred<string>();
  const calls = [1, 2, 3].map((nth) => group.run('key', nth === 1 ? () => leader.promise : unexpected));
  leader.reject(failure);
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toEqual({ status: 'rejected', reason: failure });
  }
});

test('a synchronous throw of the leader is shared like any failure', async () => {
  const failure = new UpstreamDown();
  const leader = group.run('key', () => {
    throw failure;
  });
  const follower = group.run('key', unexpected);
  await expect(leader).rejects.toBe(failure);
  await expect(follower).rejects.toBe(failure);
});

test('a call made once the flight has ended leads anew', async () => {
  expect(await group.run('key', () => 'first')).toBe('first');
  expect(await group.run('key', () => 'second')).toBe('second');
});

test('keys do not share', async () => {
  const leads = { a: deferred<string>(), b: deferred<string>() };
  const calls = [group.run('a', () => leads.a.promise), group.run('b', () => leads.b.promise)];
  expect(group.size).toBe(2);
  leads.b.resolve('of b');
  leads.a.resolve('of a');
  expect(await Promise.all(calls)).toEqual(['of a', 'of b']);
});

describe('cancellation', () => {
  test('followers lead anew where the leader was only cancelled: the first leads, the others follow it', async () => {
    const leader = group.run('key', () => new Promise<string>(() => {}), { signal: controller.signal });
    const leads = vi.fn(async () => 'led anew');
    const followers = [group.run('key', leads), group.run('key', unexpected), group.run('key', unexpected)];
    await quiescence();
    controller.abort(new Error('Cancelled'));
    await expect(leader).rejects.toThrow('Cancelled');
    expect(await Promise.all(followers)).toEqual(['led anew', 'led anew', 'led anew']);
    expect(leads).toHaveBeenCalledTimes(1);
  });

  test('a leader that fails by itself is no cancelled one, even with a signal', async () => {
    const failure = new UpstreamDown();
    const body = deferred<string>();
    const leader = group.run('key', () => body.promise, { signal: controller.signal });
    const follower = group.run('key', unexpected);
    body.reject(failure);
    await expect(leader).rejects.toBe(failure);
    await expect(follower).rejects.toBe(failure);
  });

  test('the late end of a cancelled leader does not reach those who lead anew', async () => {
    const cancelled = deferred<string>();
    const leader = group.run('key', () => cancelled.promise, { signal: controller.signal });
    leader.catch(() => {});
    const anew = deferred<string>();
    const follower = group.run('key', () => anew.promise);
    controller.abort();
    await quiescence();
    cancelled.resolve('late');
    await quiescence();
    expect(group.size).toBe(1);
    anew.resolve('anew');
    expect(await follower).toBe('anew');
  });

  test('a follower that is cancelled leaves alone', async () => {
    const body = deferred<string>();
    const leader = group.run('key', () => body.promise);
    const follower = group.run('key', unexpected, { signal: controller.signal });
    const faithful = group.run('key', unexpected);
    controller.abort(new Error('Cancelled'));
    await expect(follower).rejects.toThrow('Cancelled');
    body.resolve('shared');
    expect(await Promise.all([leader, faithful])).toEqual(['shared', 'shared']);
  });

  test('a call that is cancelled before it is made neither leads nor follows', async () => {
    const signal = AbortSignal.abort(new Error('Cancelled'));
    await expect(group.run('key', unexpected, { signal })).rejects.toThrow('Cancelled');
  });

  test('leader and follower of one signal are cancelled together', async () => {
    const { signal } = controller;
    const leader = group.run('key', () => new Promise<string>(() => {}), { signal });
    const follower = group.run('key', unexpected, { signal });
    controller.abort(new Error('Cancelled'));
    await expect(leader).rejects.toThrow('Cancelled');
    await expect(follower).rejects.toThrow('Cancelled');
  });
});

test('whoever is cancelled, every other call gets a value, from one lead at a time', async () => {
  const member = fc.record({ isCancelled: fc.boolean(), pause: fc.integer({ min: 0, max: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 8 }), async (members) => {
      let leading = 0;
      let mostLeading = 0;
      const calls = members.map(async ({ isCancelled, pause }) => {
        const own = new AbortController();
        const lead = async () => {
          mostLeading = Math.max(mostLeading, ++leading);
          const leave = once(() => leading--);
          own.signal.addEventListener('abort', leave);
          for (let turn = 0; turn < 3; turn++) await quiescence();
          leave();
          return 'value';
        };
        const call = group.run('key', lead, { signal: own.signal });
        const outcome = call.catch((error: unknown) => error);
        for (let turn = 0; turn < pause; turn++) await quiescence();
        if (isCancelled) own.abort('cancelled');
        return { isCancelled, outcome: await outcome };
      });
      for (const { isCancelled, outcome } of await Promise.all(calls)) {
        expect(isCancelled ? ['value', 'cancelled'] : ['value']).toContain(outcome);
      }
      expect(mostLeading).toBe(1);
      expect(group.size).toBe(0);
    }),
    { numRuns: 150 },
  );
});

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
