// Of groups that wait for the rest of them to die there may be a hundred thousand. Another one that waits costs the same
// then as with none: nobody walks them all, unless too many dead are waiting, and then once a sweep.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { endGroup, mostWaiting } from '../../src/handles/groups.ts';
import type { Group } from '../../src/handles/session-ledger.ts';
import { GRACE_OF_LIGHT_MS, LOOK_AT_WAITING_MS, MOST_PER_LOOK } from '../../src/policy.ts';
import { OpenLedger, releasedSingly } from './open-ledger.ts';

/** A ledger that counts how often its waiting groups are walked. */
function openCounted() {
  const world = new OpenLedger(0);
  const { waiting } = world.ledger;
  const counted = { walks: 0 };
  const values = waiting.values.bind(waiting);
  Object.defineProperty(waiting, Symbol.iterator, {
    value: () => {
      counted.walks++;
      return values();
    },
  });
  /** Two handles, of which the collector found one. */
  const group = (): Group => {
    const ofTwo = world.group(2);
    world.dropFirst(1, ofTwo);
    return ofTwo;
  };
  return { world, counted, group };
}

test('as many as may wait are never walked', () => {
  const { world, counted, group } = openCounted();
  const groups: Group[] = [];
  for (let count = 0; count < mostWaiting(0); count++) {
    groups.push(group());
    world.sweep.sweep('touched');
  }
  expect(counted.walks).toBe(0);
  expect(world.ledger.waitingDead).toBe(mostWaiting(0));
  expect(groups.flatMap(releasedSingly)).toEqual([]);
});

test('however many are found dead at once, they are walked once, and the oldest go', () => {
  const { world, counted, group } = openCounted();
  const excess = 1_000;
  const groups = Array.from({ length: mostWaiting(0) + excess }, group);
  world.sweep.sweep('touched');
  expect(counted.walks).toBe(1);
  world.now += 200; // Nothing goes on in them any more.
  groups.push(group());
  world.sweep.sweep('touched');
  expect(counted.walks).toBe(2);
  expect(groups.flatMap(releasedSingly)).toHaveLength(excess + 1);
  expect(world.ledger.waitingDead).toBe(mostWaiting(0));
  expect(groups.slice(0, excess).every(({ dropped }) => dropped === 0)).toBe(true);
});

describe('as time passes', () => {
  const GROUPS = 10_000;
  const LOOK_MS = 8;
  /** How many groups one look takes on. */

  afterEach(() => void vi.useRealTimers());

  /** Many groups of two handles, of which one is dropped; and how often one of them was judged. */
  function openMany(pageBytesPerHandle: number, drop: (world: OpenLedger, group: Group) => void) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const world = new OpenLedger(pageBytesPerHandle);
    const judged = { count: 0 };
    // Each time the sweep asks whether the session has ended.
    Object.defineProperty(world.ledger, 'hasEnded', {
      get: () => {
        judged.count++;
        return false;
      },
      set: () => {}, // It ends when it is collected.
    });
    const groups = Array.from({ length: GROUPS }, () => world.group(2));
    for (const group of groups) drop(world, group);
    world.sweep.sweep('touched');
    judged.count = 0;
    const elapse = (ms: number): void => {
      world.now += ms;
      vi.advanceTimersByTime(ms);
    };
    const released = (): number => groups.filter(({ dropped }) => dropped === 0).length;
    return { elapse, judged, released };
  }

  const collectOne = (world: OpenLedger, group: Group): void => world.dropFirst(1, group);
  const disposeOne = (world: OpenLedger, group: Group): void => {
    endGroup(group);
    const [first] = group.members;
    if (first !== undefined) world.ledger.drop(first, 'disposed');
  };

  test('groups whose grace is not over are not looked at', () => {
    const { elapse, judged } = openMany(1, collectOne);
    for (let passed = 0; passed < LOOK_AT_WAITING_MS - 100; passed += 50) elapse(50);
    expect(judged.count).toBeLessThan(GROUPS / 100);
  });

  test('those whose grace is over go some at a time, and all of them soon', () => {
    const { elapse, released } = openMany(1, collectOne); // They are light.
    for (let passed = 0; passed < GRACE_OF_LIGHT_MS - 100; passed += LOOK_MS) elapse(LOOK_MS);
    expect(released()).toBe(0);
    for (let passed = 0; passed < 300; passed += LOOK_MS) {
      const before = released();
      elapse(LOOK_MS);
      expect(released() - before).toBeLessThanOrEqual(MOST_PER_LOOK);
    }
    expect(released()).toBe(GROUPS);
  });

  test('those of which the program disposed of one are looked at when that is due, some at a time', () => {
    const { elapse, judged, released } = openMany(0, disposeOne);
    elapse(65);
    expect(judged.count).toBeLessThanOrEqual(MOST_PER_LOOK);
    while (released() < GROUPS) {
      const before = released();
      elapse(1);
      expect(released() - before).toBeLessThanOrEqual(MOST_PER_LOOK);
    }
  });
});
