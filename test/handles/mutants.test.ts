// Proof that the property can fail: each wrong rule below, put in place of the right one, is found out.
import fc from 'fast-check';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { onWrongMoves } from '../../src/batcher/stats.ts';
import { ObjectGroup } from '../../src/handles/handle-table.ts';
import { type Group, type Handle, SessionLedger } from '../../src/handles/session-ledger.ts';
import { programs, runProgram } from './random-program.ts';

afterEach(() => vi.restoreAllMocks());
// Wrong rules lead to wrong moves. It is the property that has to tell.
beforeAll(() => onWrongMoves('count'));

const { add } = ObjectGroup.prototype;
const { dropMembers, rebind } = SessionLedger.prototype;

const wrongRules: [rule: string, put: () => void][] = [
  [
    'a group is released with a mint pending',
    () =>
      vi.spyOn(ObjectGroup.prototype, 'isDead', 'get').mockImplementation(function (this: Group) {
        return this.live === 0 && this.pinned === 0;
      }),
  ],
  [
    'a group is released with a pinned member',
    () =>
      vi.spyOn(ObjectGroup.prototype, 'isDead', 'get').mockImplementation(function (this: Group) {
        return this.live === 0 && this.pending === 0;
      }),
  ],
  [
    'a group is released with a member alive',
    () =>
      vi.spyOn(ObjectGroup.prototype, 'isDead', 'get').mockImplementation(function (this: Group) {
        return this.live <= 1 && this.pinned === 0 && this.pending === 0;
      }),
  ],
  [
    'a member that was inherited is forgotten',
    () =>
      vi.spyOn(ObjectGroup.prototype, 'add').mockImplementation(function (this: Group, record: Handle) {
        // Mints go into the open generation; what comes later was inherited.
        if (this.kind === 'foreign' || this.stage === 'open') add.call(this, record);
        else record.group = undefined;
      }),
  ],
  [
    'a pinned id is moved',
    () =>
      vi.spyOn(SessionLedger.prototype, 'rebind').mockImplementation(function (
        this: SessionLedger,
        record,
        ...rest
      ) {
        const { pins } = record;
        record.pins = 0;
        const isMoved = rebind.call(this, record, ...rest);
        record.pins = pins;
        return isMoved;
      }),
  ],
  [
    'pins are ignored',
    () => {
      vi.spyOn(SessionLedger.prototype, 'pin').mockImplementation(() => {});
      vi.spyOn(SessionLedger.prototype, 'unpin').mockImplementation(() => {});
    },
  ],
  [
    'old ids are not translated',
    () => vi.spyOn(SessionLedger.prototype, 'currentId').mockImplementation((objectId) => objectId),
  ],
  [
    'a handle that is collected is forgotten',
    () => vi.spyOn(SessionLedger.prototype, 'collect').mockImplementation((_, first) => first + 1),
  ],
  [
    'the end of a scope takes along what has escaped',
    () =>
      vi.spyOn(SessionLedger.prototype, 'dropMembers').mockImplementation(function (
        this: SessionLedger,
        group,
        kind,
      ) {
        for (const member of group.members) member.hasEscaped = false;
        dropMembers.call(this, group, kind);
      }),
  ],
  [
    'a detached session is kept books of as any other',
    () => vi.spyOn(SessionLedger.prototype, 'abandon').mockImplementation(() => {}),
  ],
  [
    'what the client did not keep goes with its group alone',
    () => vi.spyOn(SessionLedger.prototype, 'enqueueUnkept').mockImplementation(() => {}),
  ],
  ['a crash is not noticed', () => vi.spyOn(SessionLedger.prototype, 'crash').mockImplementation(() => {})],
];

const runs = { numRuns: 1_000, seed: 1_234, endOnFailure: true };

test('without any, the same programs pass', async () => {
  const { failed } = await fc.check(
    fc.asyncProperty(programs, (steps) => runProgram(steps)),
    { ...runs, numRuns: 10 },
  );
  expect(failed).toBe(false);
});

test.each(wrongRules)('%s: found out', async (_, put) => {
  put();
  const property = fc.asyncProperty(programs, (steps) => runProgram(steps));
  const { failed, numRuns } = await fc.check(property, runs);
  expect({ failed }, `${numRuns} programs`).toEqual({ failed: true });
});

test('a worker is taken for a page, which keeps order: found out', async () => {
  const property = fc.asyncProperty(programs, (steps) => runProgram(steps, {}, undefined, true));
  const { failed, numRuns } = await fc.check(property, runs);
  expect({ failed }, `${numRuns} programs`).toEqual({ failed: true });
});
