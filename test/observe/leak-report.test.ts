// The accounts by themselves: what a page can name is bounded, and a handle may turn out to be another's late.
import { expect, test } from 'vitest';
import { LeakReport } from '../../src/observe/leak-report.ts';

const EVENT = 'Runtime.exceptionThrown';

function thrownAt(line: number): object {
  return { exceptionDetails: { url: 'https://page.test/', lineNumber: line, columnNumber: 0 } };
}

test('a page whose errors come from any number of lines takes a bounded number of accounts', () => {
  const report = new LeakReport(() => 0);
  const objects = Array.from({ length: 3_000 }, () => ({ type: 'object' }));
  for (const [line, object] of objects.entries()) {
    report.noteMint({}, object, report.beginEvent(EVENT, thrownAt(line)), false);
  }
  const leaks = report.all();
  expect(leaks.length).toBeLessThanOrEqual(2_001);
  expect(leaks.find(({ line }) => line === 'elsewhere')).toMatchObject({ minted: 1_000, live: 1_000 });
  expect(leaks.reduce((sum, { minted }) => sum + minted, 0)).toBe(3_000);
});

test('a handle that has ended already may be given out by its call all the same', () => {
  const report = new LeakReport(() => 0);
  const object = { type: 'object', subtype: 'node' };
  const call = report.beginCall();
  const trace = { line: call.line, weight: call.weight, source: 'client', call } as const;
  report.noteMint({}, object, trace, false).end('disposed');
  expect(report.all()).toMatchObject([{ source: 'client', minted: 1, disposed: 1 }]);
  call.resolve([object]);
  expect(report.all()).toMatchObject([{ source: 'script', kind: 'node', minted: 1, disposed: 1, live: 0 }]);
});
