/** `--html FILE`: one page that loads nothing. All text in it is escaped, since pages choose some of it. */
import { type Leak, undisposed } from '../../observe/leak-report.ts';
import { formatCount, formatSeconds } from '../format.ts';
import { curvesOf } from '../html/curves.ts';
import { escapeHtml } from '../html/escape.ts';
import { factsOf, pageOf, tableOf } from '../html/page.ts';
import { type DoctorReport, shownLine } from './report.ts';
import {
  adviceOf,
  CLIENT_COLUMNS,
  CLIENT_TITLE,
  costLine,
  headline,
  LEAK_HEAD,
  leakRow,
  OTHERS_HEAD,
  OTHERS_TITLE,
  othersLines,
  othersRows,
} from './terminal.ts';

export function htmlOf(report: DoctorReport): string {
  const [outcome = '', ...sentences] = headline(report).split('\n');
  return pageOf(`cdp-release-batcher doctor: ${report.script}`, [
    `<h1>${escapeHtml(title(report))}</h1>`,
    `<p class="lead">${escapeHtml(outcome)}</p>`,
    ...sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`),
    courseSection(report),
    leakSection(report),
    tableSection(
      'alive',
      'Still alive, the oldest first',
      ['', 'handles', 'oldest', 'kind'],
      report.alive,
      (leak) => [formatCount(leak.live), formatSeconds(leak.oldestMs ?? 0), leak.kind],
    ),
    countSection('thrown', 'Errors thrown in the page', report.thrown),
    countSection('page-errors', 'Uncaught errors of the page', report.pageErrors),
    countSection('console', 'Arguments of console messages', report.console),
    tableSection(
      'client',
      CLIENT_TITLE,
      ['', 'left behind', 'kept', 'kind'],
      report.client,
      (leak) => [formatCount(leak.collected), formatCount(leak.live + leak.elided), leak.kind],
      CLIENT_COLUMNS,
    ),
    othersSection(report),
    adviceSection(report),
    runSection(report),
  ]);
}

function title({ leaked }: DoctorReport): string {
  return leaked === 0 ? 'No handle was left undisposed' : `${formatCount(leaked)} handles left undisposed`;
}

function courseSection({ course }: DoctorReport): string {
  if (course.length < 2) return '';
  const curve = (
    name: string,
    tone: 'ours' | 'theirs',
    figure: (point: (typeof course)[number]) => number,
  ) => ({
    name,
    tone,
    points: course.map((point): [number, number] => [point.elapsedMs / 1_000, figure(point)]),
  });
  const live = curve('handles alive', 'ours', (point) => point.live);
  const heap = curve('page heap', 'theirs', (point) => point.heapBytes / 1e6);
  return `<section id="course"><h2>Over time</h2>
  ${curvesOf([live], { x: 'seconds', y: 'handles alive', log: false })}
  ${curvesOf([heap], { x: 'seconds', y: 'page heap, MB', log: false })}</section>`;
}

/** A bar for each line, as long as its share of the worst one's handles. */
function leakSection({ leaks }: DoctorReport): string {
  if (leaks.length === 0) return '';
  const most = Math.max(...leaks.map(undisposed));
  const bars = leaks.map((leak) => {
    const width = ((100 * undisposed(leak)) / most).toFixed(1);
    return `<li class="ours"><span class="name">${lineOf(leak)} <span class="unit">${escapeHtml(leak.kind)}</span></span>
      <span class="track"><span class="bar" style="width:${width}%"></span></span>
      <span class="value">${formatCount(undisposed(leak))}</span></li>`;
  });
  const head = [LEAK_HEAD.at(-1) ?? '', ...LEAK_HEAD.slice(0, -1)];
  const rows = leaks.map(leakRow).map((row) => [row.at(-1) ?? '', ...row.slice(0, -1)]);
  return `<section id="leaks"><h2>Never disposed of, by the line that asked for them</h2>
  <ol class="bars">${bars.join('')}</ol>
  <details><summary>All figures</summary>${tableOf(head, rows)}</details></section>`;
}

function countSection(id: string, heading: string, leaks: readonly Leak[]): string {
  return tableSection(id, heading, ['', 'number', 'kind'], leaks, (leak) => [
    formatCount(undisposed(leak)),
    leak.kind,
  ]);
}

function tableSection(
  id: string,
  heading: string,
  head: readonly string[],
  leaks: readonly Leak[],
  cells: (leak: Leak) => readonly string[],
  explanation?: string,
): string {
  if (leaks.length === 0) return '';
  const rows = leaks.map((leak) => [shownLine(leak.line), ...cells(leak)]);
  const below = explanation === undefined ? '' : `<p>${escapeHtml(explanation)}</p>`;
  return `<section id="${id}"><h2>${escapeHtml(heading)}</h2>${tableOf(head, rows)}${below}</section>`;
}

function adviceSection(report: DoctorReport): string {
  const lines = adviceOf(report).map((line) => `<p>${escapeHtml(line)}</p>`);
  return lines.length === 0 ? '' : `<section id="advice"><h2>What to do</h2>${lines.join('')}</section>`;
}

function othersSection(report: DoctorReport): string {
  if (report.heldByOthers.held === 0) return '';
  const head = ['', ...OTHERS_HEAD.slice(0, -1)];
  const rows = othersRows(report).map((row) => [row.at(-1) ?? '', ...row.slice(0, -1)]);
  return `<section id="others"><h2>Held by others</h2><p>${escapeHtml(OTHERS_TITLE)}.</p>${tableOf(head, rows)}</section>`;
}

function lineOf(leak: Leak): string {
  return escapeHtml(shownLine(leak.line));
}

function runSection(report: DoctorReport): string {
  const { script, scriptArguments, node, browsers } = report;
  return `<section id="run"><h2>Where and how</h2>${factsOf([
    ['Script', [script, ...scriptArguments].join(' ')],
    ['Browsers', formatCount(browsers)],
    ['Node', node],
    ['Cost', costLine(report)],
    [
      'Held by others',
      [`${formatCount(report.heldByOthers.held)} handles.`, ...othersLines(report)].join(' '),
    ],
  ])}</section>`;
}
