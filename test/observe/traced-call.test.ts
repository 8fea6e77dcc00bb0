// What a call hands over is the program's, where the program made it. Where the client calls itself, answering an event, it
// is the client's; and an error is the program's only where its call failed by it.
import { expect, test } from 'vitest';
import { UNKNOWN_LINE } from '../../src/observe/calling-line.ts';
import { LeakReport } from '../../src/observe/leak-report.ts';
import { currentCall, runCall, runWindow, TracedCall, TraceWindow } from '../../src/observe/traced-call.ts';

const LINE = 'file:///script.mjs:3:5';

function tracedBy(line: string, { isByProgram = true, isException = false } = {}) {
  const report = new LeakReport(() => 0);
  const window = new TraceWindow();
  const call = new TracedCall(line, isByProgram, window);
  const object = { type: 'object', subtype: isException ? 'error' : 'node' };
  const mint = report.noteMint({}, object, { line, source: 'client', call }, isException);
  return { report, window, call, object, mint };
}

test('what a call of the program’s hands over is the program’s', () => {
  const { report, window, call, object, mint } = tracedBy(LINE);
  call.resolve([object]);
  expect(report.all()).toMatchObject([{ line: LINE, source: 'script', live: 1 }]);
  expect([...window.mints]).toEqual([mint]);
});

test('what it does not hand over is the client’s', () => {
  const { report, window, call } = tracedBy(LINE);
  call.resolve([{ type: 'object' }]);
  expect(report.all()).toMatchObject([{ source: 'client', live: 1 }]);
  expect(window.mints.size).toBe(0);
});

test('what the client hands itself, with nothing of the program on the stack, is the client’s', () => {
  const { report, window, call, object } = tracedBy(UNKNOWN_LINE, { isByProgram: false });
  call.resolve([object]);
  expect(report.all()).toMatchObject([{ line: UNKNOWN_LINE, source: 'client', live: 1 }]);
  expect(window.mints.size).toBe(0);
});

test('an error that a call has failed by is thrown; one that it has got over is the client’s', () => {
  const failed = tracedBy(LINE, { isException: true });
  failed.call.reject();
  expect(failed.report.all()).toMatchObject([{ source: 'thrown', kind: 'error' }]);
  const gotOver = tracedBy(LINE, { isException: true });
  gotOver.call.resolve([]);
  expect(gotOver.report.all()).toMatchObject([{ source: 'client', kind: 'error' }]);
  const other = tracedBy(LINE);
  other.call.reject();
  expect(other.report.all()).toMatchObject([{ source: 'client', kind: 'node' }]);
});

test('a call that is over is nobody’s current one, and holds nothing', () => {
  const { call, object, report, mint } = tracedBy(LINE);
  runCall(call, () => {
    expect(currentCall()).toBe(call);
    call.resolve([]);
    expect(currentCall()).toBeUndefined();
  });
  call.add(mint);
  call.resolve([object]);
  expect(report.all()).toMatchObject([{ source: 'client' }]);
});

test('what a body within another leaves is the outer one’s, too; what is looked at in neither is nobody’s', () => {
  const outer = new TraceWindow();
  const inner = runWindow(outer, () => new TraceWindow((session) => session === ours));
  const [ours, others] = [{}, {}];
  const report = new LeakReport(() => 0);
  const trace = { line: LINE, source: 'script', window: inner } as const;
  const mint = report.noteMint(ours, {}, trace, false);
  const other = report.noteMint(others, {}, trace, false);
  expect([...inner.mints]).toEqual([mint]);
  expect([...outer.mints]).toEqual([mint, other]);
});

test('what is undone at the end of a window waits for the outermost', () => {
  const undone: string[] = [];
  const outer = new TraceWindow();
  runWindow(outer, () => {
    const inner = new TraceWindow();
    runWindow(inner, () => new TraceWindow().onEnd(() => undone.push('innermost')));
    inner.onEnd(() => undone.push('inner'));
    inner.end();
    expect(undone).toEqual([]);
  });
  outer.end();
  expect(undone).toEqual(['innermost', 'inner']);
});
