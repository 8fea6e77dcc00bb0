// Handles that hold next to nothing of the page wait for more of their kind, so that one command does for many.
import { expect, test } from 'vitest';
import { isFull } from '../../src/handles/groups.ts';
import * as policy from '../../src/policy.ts';
import { OpenLedger, releasedSingly } from './open-ledger.ts';

const OPENED_AT = 1_000;

test.each([
  ['nobody knows how many', 0, 50],
  ['500', 500, 500],
  ['30 K', 30e3, 50],
])('a generation of handles of %s bytes stays open that long: %d, %d ms', (_, bytes, ms) => {
  const generation = new OpenLedger(bytes, OPENED_AT).group(100);
  expect(isFull(generation, OPENED_AT + ms - 1)).toBe(false);
  expect(isFull(generation, OPENED_AT + ms)).toBe(true);
});

test('a generation of light handles is full with as many members as any', () => {
  expect(isFull(new OpenLedger(500, OPENED_AT).group(1_199), OPENED_AT)).toBe(false);
  expect(isFull(new OpenLedger(500, OPENED_AT).group(1_200), OPENED_AT)).toBe(true);
});

test.each([
  ['nobody knows how many', 0, policy.GRACE_MS],
  ['500', 500, policy.GRACE_OF_LIGHT_MS],
  ['30 K', 30e3, policy.GRACE_MS],
])('dead handles of %s bytes wait that long for the rest of their group: %d, %d ms', (_, bytes, ms) => {
  const world = new OpenLedger(bytes, OPENED_AT);
  const group = world.group(100);
  const look = (): void => {
    world.ledger.touch(group);
    world.sweep.sweep('touched');
  };
  world.dropFirst(60, group);
  look();
  world.now += ms - 1;
  look();
  expect(releasedSingly(group)).toHaveLength(0);
  world.now += 1;
  look();
  expect(releasedSingly(group)).toHaveLength(60);
});

test.each([policy.GRACE_MS, policy.GRACE_OF_LIGHT_MS])(
  'a grace of %d ms ends when its group is looked at',
  (graceMs) => {
    expect(graceMs % policy.LOOK_AT_WAITING_MS).toBe(0);
  },
);

test('light handles wait no longer than others where no grace is given', () => {
  const world = new OpenLedger(500, OPENED_AT);
  const group = world.group(100);
  world.dropFirst(60, group);
  world.sweep.sweep('all');
  expect(releasedSingly(group)).toHaveLength(60);
});
