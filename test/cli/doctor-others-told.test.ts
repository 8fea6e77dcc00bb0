// Why it was not looked for what others hold is said once for each reason; and what a page has named is neither obeyed by a
// terminal nor run by a browser.
import { expect, it } from 'vitest';
import { Course } from '../../src/cli/doctor/course.ts';
import { htmlOf } from '../../src/cli/doctor/html-report.ts';
import type { Others, Snapshot } from '../../src/cli/doctor/messages.ts';
import { type Patient, reportOf } from '../../src/cli/doctor/report.ts';
import { formatReport } from '../../src/cli/doctor/terminal.ts';

const PATIENT: Patient = {
  script: 'scrape.mjs',
  scriptArguments: [],
  failOver: 0,
  exitCode: 0,
  signal: undefined,
  elapsedMs: undefined,
};
const SNAPSHOT: Snapshot = {
  ...{
    kind: 'snapshot',
    thread: 0,
    occasion: 'end',
    elapsedMs: 2_000,
    node: 'v20',
    browsers: 3,
    attached: 0,
  },
  ...{ stats: {} as Snapshot['stats'], leaks: [], cost: { stacks: 0, elapsedMs: 0 } },
};
const HOSTILE = 'https://a.test/\u001b[31m<img src=x>';

const lookWith = (held: readonly number[], unseen: readonly string[]): Others => ({
  kind: 'others',
  elapsedMs: 100,
  look: {
    targets: held.map((each) => ({ type: 'page', url: HOSTILE, targetId: 'id', held: each })),
    unseen: unseen.map((why) => ({ type: 'page', url: HOSTILE, targetId: 'id', why })),
  },
});

const report = reportOf(PATIENT, SNAPSHOT, new Course(), [
  lookWith([3], ['it hangs', 'it is large']),
  lookWith([1_000], ['it hangs']),
]);

it('the worst first, with each reason once', () => {
  expect(report.heldByOthers).toMatchObject({ held: 1_003, browsers: 2, elapsedMs: 200 });
  const text = formatReport(report);
  expect(text.indexOf('1,000  page')).toBeLessThan(text.indexOf('    3  page'));
  expect(text.match(/^Handles held by others .*$/gm)).toEqual([
    'Handles held by others were not looked for: the script did not close 1 of its browsers.',
    'Handles held by others were not looked for in 2 of the pages, frames and workers: it hangs.',
    'Handles held by others were not looked for in 1 of the pages, frames and workers: it is large.',
  ]);
});

it('without what a terminal or a browser would act on', () => {
  expect(formatReport(report)).not.toContain('\u001b');
  expect(htmlOf(report)).toContain('&lt;img src=x&gt;');
  expect(htmlOf(report)).not.toContain('<img');
});

it('nothing while the script goes on', () => {
  const running = reportOf({ ...PATIENT, exitCode: undefined }, SNAPSHOT, new Course(), []);
  expect(formatReport(running)).not.toContain('held by others');
});
