// What was not looked into is named with its reason, at the terminal and on the page; and the course of a long look stays as
// long as a chart can show, from its first point to its last.
import { expect, test } from 'vitest';
import { htmlOfLook } from '../../src/cli/look/html-report.ts';
import { type BrowserReport, browserReportOf, Courses } from '../../src/cli/look/report.ts';
import { formatLook } from '../../src/cli/look/terminal.ts';

function reportAt(elapsedMs: number, held: number): BrowserReport {
  const target = {
    ...{ type: 'page', url: 'http://one/', targetId: 'one', pauseMs: 1, sharesHeapWith: 0 },
    ...{ held, heldByConsole: 0, classes: {}, retainedBytes: 0, retainedByConsoleBytes: 0, heapBytes: 1_000 },
  };
  const unseen = [{ type: 'worker', url: 'http://two/<b>', targetId: 'two', why: 'it crashed' }];
  const of = { browser: 'Fake/1', endpoint: 'ws://x/', failOver: undefined, elapsedMs };
  return browserReportOf({ targets: [target], unseen }, of);
}

test('the terminal names it', () => {
  const text = formatLook(reportAt(0, 3), new Courses());
  expect(text).toMatch(
    /Not looked into\n\n.*type +address +why[\s\S]*\n.*worker +http:\/\/two\/<b> +it crashed/,
  );
  expect(text).toContain('A larger --max-heap looks into larger heaps');
});

test('the page names it', () => {
  const html = htmlOfLook(reportAt(0, 3), new Courses());
  const [section = ''] = /<section id="unseen">.*?<\/section>/s.exec(html) ?? [];
  expect(section).toContain('Not looked into');
  expect(section).toContain('http://two/&lt;b&gt;');
  expect(section).toContain('it crashed');
});

test('a course of a thousand looks has some hundreds of points, the first and one of the last among them', () => {
  const courses = new Courses();
  const looks = 1_000;
  for (let index = 0; index < looks; index++) courses.add(reportAt(index * 1_000, index));
  const points = courses.of('one');
  expect(points.length).toBeGreaterThan(100);
  expect(points.length).toBeLessThanOrEqual(401);
  expect(points[0]).toMatchObject({ elapsedMs: 0, held: 0 });
  expect(points.at(-1)?.held).toBe(looks - 1);
  const times = points.map(({ elapsedMs }) => elapsedMs);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
});
