// An error thrown in the page is the program's where a call of the program's fails by it. Where the client calls itself,
// as Puppeteer goes on for a moment with a wait that has timed out, it is the client's.
import { expect, test } from 'vitest';
import { LeakReport } from '../../src/observe/leak-report.ts';
import { TracedCall } from '../../src/observe/traced-call.ts';

test.each([
  ['of the program', true, 'thrown'],
  ['of the client to itself', false, 'client'],
])('an error by which a call %s fails', (_, isByProgram, source) => {
  const report = new LeakReport(() => 0);
  const call = new TracedCall('scrape.mjs:1:1', isByProgram, undefined);
  const error = { type: 'object', subtype: 'error', objectId: '1.1.1' };
  report.noteMint({}, error, { line: call.line, source: 'client', call }, true);
  call.reject();
  expect(report.all()).toMatchObject([{ kind: 'error', minted: 1, source }]);
});
