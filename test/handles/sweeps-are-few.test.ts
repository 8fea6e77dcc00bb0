// Groups are judged when that can change something, not after each command: on a busy client each sweep counts.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { plainRules } from '../../src/handles/command-rules.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

const SWEPT = 'cdp-release-batcher:sweep:done';
const COMMANDS = 50;

test.each([true, false])(
  'commands about a handle whose group waits for its timer cause no sweep: by value: %s',
  async (returnByValue) => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const [kept, dropped] = await session.mint(2);
    if (!kept || !dropped) throw new Error();
    await session.release(dropped);
    await turns(); // The group waits: one of its members is dropped, the other lives.
    let sweeps = 0;
    const count = (): void => void sweeps++;
    subscribe(SWEPT, count);
    try {
      for (let index = 0; index < COMMANDS; index++) {
        await session.call(kept, 'function() { return 1; }', { returnByValue });
        await turns(1);
      }
    } finally {
      unsubscribe(SWEPT, count);
    }
    expect(sweeps).toBeLessThanOrEqual(1);
    await world.rest();
    expect(session.alive()).toEqual([kept.objectId]);
  },
);

test('the first disposal in a group that waits already causes no sweep of its own, and is as soon on the wire', async () => {
  let isClients = true;
  await using world = new AttachedPeer();
  const session = world.open({ createRules: () => ({ ...plainRules, isClientsOwn: () => isClients }) });
  const [kept, double, element] = await session.mint(3);
  if (!kept || !double || !element) throw new Error();
  await session.release(double);
  await turns(); // The group waits for its timer: the client has disposed of something for itself.
  isClients = false;
  let sweeps = 0;
  const count = (): void => void sweeps++;
  subscribe(SWEPT, count);
  try {
    await session.release(element);
    await turns();
  } finally {
    unsubscribe(SWEPT, count);
  }
  expect(sweeps).toBe(0);
  for (let passed = 0; passed < 100; passed += 5) {
    world.elapse(5);
    await turns(4);
  }
  expect(session.alive()).toEqual([kept.objectId]);
});

test('disposals one after another are judged by the timer of the first', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handles = await session.mint(COMMANDS);
  const [kept] = await session.mint(1);
  let sweeps = 0;
  const count = (): void => void sweeps++;
  subscribe(SWEPT, count);
  try {
    for (const handle of handles) {
      await session.release(handle);
      await turns(1);
    }
  } finally {
    unsubscribe(SWEPT, count);
  }
  expect(sweeps).toBeLessThanOrEqual(2);
  world.elapse(100);
  await turns();
  world.elapse(100);
  await turns();
  expect(session.alive()).toHaveLength(1);
  expect(kept).toBeDefined();
});
