// The members of a released group are ended after the answers of other groups, which would have to wait for that work.
import { expect, test } from 'vitest';
import { endGroup } from '../../src/handles/groups.ts';
import { MOST_ENDED_AFTER_ANSWERS } from '../../src/policy.ts';
import { turns } from '../support/turns.ts';
import { OpenLedger } from './open-ledger.ts';

function released(world: OpenLedger, members: number) {
  const group = world.group(members);
  endGroup(group);
  for (const member of group.members) world.ledger.drop(member, 'disposed');
  world.ledger.setStage(group, 'queued');
  expect(world.ledger.claim(group)).toBe(true);
  return { group, records: [...group.members] };
}

test.each([
  [10, 'dropped'],
  [MOST_ENDED_AFTER_ANSWERS - 1, 'dropped'],
  [MOST_ENDED_AFTER_ANSWERS, 'ended'],
])('of %d members the last is %s while another answer is awaited', async (members, state) => {
  const world = new OpenLedger(0);
  const first = released(world, members);
  const second = released(world, 10);
  world.ledger.settled(first.group, 'released', 'object');
  await turns(20);
  expect(first.records.at(-1)?.state).toBe(state);
  world.ledger.settled(second.group, 'released', 'object');
  await turns(20);
  expect([first.records.at(-1)?.state, second.records.at(-1)?.state]).toEqual(['ended', 'ended']);
  expect(world.ledger.size).toBe(0);
});
