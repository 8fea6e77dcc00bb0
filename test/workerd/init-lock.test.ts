// The failure that the init lock is for, where it happens: workerd drops a request whose client has gone, in the middle
// of an await, and runs none of its `finally` blocks.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WorkerdProcess } from './workerd-process.ts';

interface Got {
  readonly value: string;
  readonly waitedMs: number;
}

interface State {
  readonly value: string | null;
  readonly begun: number;
  readonly ended: number;
  readonly cleanedUp: number;
  readonly isLocked: boolean;
}

const DEADLINE_MS = 1_500;

let workerd: WorkerdProcess;
beforeAll(async () => {
  workerd = await WorkerdProcess.start();
});
afterAll(() => workerd[Symbol.asyncDispose]());

const stateOf = (name: string) => workerd.get<State>(`/state?name=${name}`);
const get = (name: string, value: string, initMs: number, more = '') =>
  workerd.get<Got>(`/get?name=${name}&value=${value}&initMs=${initMs}${more}`);

/** Polls, as nothing tells from outside what a worker is about. */
const until = (name: string, holds: (state: State) => boolean): Promise<State> =>
  vi.waitUntil(
    async () => {
      const state = await stateOf(name);
      return holds(state) && state;
    },
    { timeout: 60_000, interval: 20 },
  );

/** Of an init whose client goes away: long enough for it to be gone before the end, though the machine is busy. */
const INIT_MS = 2_000;

/** A first request that begins an init, and whose client goes away as soon as it has begun. */
async function disconnectInMidInit(name: string, initMs = INIT_MS, more = ''): Promise<void> {
  await workerd.getAndDisconnect(`/get?name=${name}&value=first&initMs=${initMs}${more}`, async () => {
    await until(name, ({ begun }) => begun === 1);
  });
}

describe('in workerd', () => {
  test('requests that come together share one init', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => get('shared', 'made', 200)));
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set(['made']));
    expect(await stateOf('shared')).toMatchObject({ begun: 1, ended: 1, isLocked: false });
  });

  test('a client that disconnects in mid-init leaves the lock taken, and no finally runs', async () => {
    await disconnectInMidInit('poisoned');
    // An init of the same length, in the same worker, that begins later and runs to its end.
    expect(await get('witness', 'made', INIT_MS)).toMatchObject({ value: 'made' });
    expect(await stateOf('poisoned')).toEqual({
      value: null,
      begun: 1,
      ended: 0,
      cleanedUp: 0,
      isLocked: true,
    });
  });

  test('the next request recovers after the deadline', async () => {
    const before = performance.now();
    await disconnectInMidInit('recovered');
    expect(await get('recovered', 'second', 50)).toMatchObject({ value: 'second' });
    expect(performance.now() - before, 'from the claim on').toBeGreaterThanOrEqual(DEADLINE_MS);
    expect(await stateOf('recovered')).toEqual({
      value: 'second',
      begun: 2,
      ended: 1,
      cleanedUp: 1,
      isLocked: false,
    });
  });

  test('of many that wait for a dead owner one takes over', async () => {
    await disconnectInMidInit('crowd');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => get('crowd', `${i}`, 50)));
    expect(new Set(answers.map(({ value }) => value)).size).toBe(1);
    expect(await stateOf('crowd')).toMatchObject({ begun: 2, ended: 1, isLocked: false });
  });

  test('with anchor: ctx.waitUntil it does not come to that: the init ends without its client', async () => {
    await disconnectInMidInit('anchored', DEADLINE_MS / 5, '&anchored');
    const { waitedMs, value } = await get('anchored', 'second', 50);
    expect(value).toBe('first');
    expect(waitedMs).toBeLessThan(DEADLINE_MS);
    expect(await stateOf('anchored')).toEqual({
      value: 'first',
      begun: 1,
      ended: 1,
      cleanedUp: 1,
      isLocked: false,
    });
  });
});
