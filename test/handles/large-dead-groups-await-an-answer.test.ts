// All members of a group are disposed of, and a command that may mint into it is unanswered. A large group waits for the
// answer, because then one command releases it; of a smaller one the members are released one by one.
import { expect, test } from 'vitest';
import { endGroup } from '../../src/handles/groups.ts';
import { OpenLedger, releasedSingly } from './open-ledger.ts';

test.each([
  [1_023, 1_023],
  [1_024, 0],
])('of %d members %d are released one by one', (members, singly) => {
  const world = new OpenLedger(0);
  const group = world.group(members);
  group.pending = 1;
  endGroup(group);
  for (const member of group.members) world.ledger.drop(member, 'disposed');
  world.sweep.sweep('touched');
  world.now += 90;
  world.ledger.touch(group);
  world.sweep.sweep('touched');
  expect(releasedSingly(group)).toHaveLength(singly);
  if (singly > 0) return;
  group.pending = 0;
  world.ledger.noteAnswered(group);
  world.sweep.sweep('touched');
  expect(group.stage).toBe('released');
});
