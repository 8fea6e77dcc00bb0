// Where handles are traced but not tracked, the report is told from the protocol alone: what was minted, and what has ended
// with its context.
import { expect, test } from 'vitest';
import { noteUntrackedEnd } from '../../src/handles/untracked-mints.ts';
import { LeakReport } from '../../src/observe/leak-report.ts';

const mintIn = (report: LeakReport, session: object, contextId: number): void => {
  const object = { type: 'object', objectId: `1.${contextId}.${contextId}` };
  report.noteMint(session, object, { line: 'file:///a.mjs:1:1', source: 'script' }, false);
};
const liveIn = (report: LeakReport): number => report.all().reduce((sum, { live }) => sum + live, 0);

test.each([
  ['Runtime.executionContextDestroyed', { executionContextId: 2 }, 2],
  ['Runtime.executionContextDestroyed', undefined, 3],
  ['Runtime.executionContextsCleared', {}, 0],
  ['Inspector.targetCrashed', {}, 0],
  ['Page.frameNavigated', { executionContextId: 2 }, 3],
])('%s with %j leaves so many of three contexts: %d', (event, params, left) => {
  const report = new LeakReport(() => 0);
  const session = {};
  for (const contextId of [1, 2, 3]) mintIn(report, session, contextId);
  noteUntrackedEnd(report, session, event, params);
  expect(liveIn(report)).toBe(left);
});
