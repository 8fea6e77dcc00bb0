// The accounts by themselves: what a page can name is bounded, and a handle may turn out to be another's late.
import { expect, test } from 'vitest';
import { LeakReport } from '../../src/observe/leak-report.ts';

const EVENT = 'Runtime.exceptionThrown';

function thrownAt(line: number): object {
  return { exceptionDetails: { url: 'https://page.test/', lineNumber: line, columnNumber: 0 } };
}

/** So many errors of a page, each from a line of its own. */
function errorsOf(report: LeakReport, count: number) {
  return Array.from({ length: count }, (_, line) => {
    const object = { type: 'object' };
    return { object, mint: report.noteMint({}, object, report.beginEvent(EVENT, thrownAt(line)), false) };
  });
}

/** `line` and how many were minted, disposed of and live. */
function figures(report: LeakReport): [string, number, number, number][] {
  return report.all().map(({ line, minted, disposed, live }) => [line, minted, disposed, live]);
}

test('a page whose errors come from any number of lines takes a bounded number of accounts, and no line of the script’s', () => {
  const report = new LeakReport(() => 0);
  const errors = errorsOf(report, 3_000);
  expect(figures(report)).toHaveLength(2_001);
  expect(figures(report)).toContainEqual(['elsewhere', 1_000, 0, 1_000]);
  expect(report.all().reduce((sum, { minted }) => sum + minted, 0)).toBe(errors.length);
  const trace = { line: 'file:///script.mjs:3:5', source: 'script' } as const;
  report.noteMint({}, { type: 'object' }, trace, false);
  expect(report.find({ line: trace.line, kind: 'object', source: 'script' })).toMatchObject({ live: 1 });
});

test('a line of a page in which nothing lives makes room for another, and what ends there later still counts', () => {
  const report = new LeakReport(() => 0);
  const [first, ...others] = errorsOf(report, 2_000);
  for (const { mint } of others) mint.end('disposed');
  first?.mint.end('elided');
  expect(report.all()).toHaveLength(2_000);
  report.noteMint({}, {}, report.beginEvent(EVENT, thrownAt(5_000)), false);
  expect(figures(report)).toEqual([
    ['elsewhere', 2_000, 1_999, 0],
    ['https://page.test/:5001:1', 1, 0, 1],
  ]);
  first?.mint.end('disposed');
  expect(figures(report)[0]).toEqual(['elsewhere', 2_000, 2_000, 0]);
});

test('what is disposed of after its page has gone was disposed of', () => {
  const report = new LeakReport(() => 0);
  const mint = report.noteMint({}, {}, { line: 'a:1:1', source: 'script' }, false);
  mint.end('elided');
  expect(report.all()).toMatchObject([{ elided: 1, disposed: 0 }]);
  mint.end('disposed');
  mint.end('collected');
  expect(report.all()).toMatchObject([{ elided: 0, disposed: 1, collected: 0 }]);
  expect(report.list()).toEqual([]);
});

test('the most that lived at once is told once', () => {
  const report = new LeakReport(() => 0);
  const mints = errorsOf(report, 5);
  for (const { mint } of mints) mint.end('disposed');
  expect([report.takePeakLive(), report.takePeakLive()]).toEqual([5, 0]);
});

test('a handle that has ended already may be given out by its call all the same', () => {
  const report = new LeakReport(() => 0);
  const object = { type: 'object', subtype: 'node' };
  const call = report.beginCall();
  report.noteMint({}, object, { line: call.line, source: 'client', call }, false).end('disposed');
  expect(report.all()).toMatchObject([{ source: 'client', minted: 1, disposed: 1 }]);
  call.resolve([object]);
  expect(report.all()).toMatchObject([{ source: 'script', kind: 'node', minted: 1, disposed: 1, live: 0 }]);
});
