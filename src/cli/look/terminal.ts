/** A look into a browser, at a terminal. Text that pages choose is only in tables, which make it printable. */
import { formatCount, formatTable } from '../format.ts';
import {
  ADVICE,
  type BrowserReport,
  type Courses,
  failureOf,
  heldByClientsOf,
  type TargetLook,
  UNSEEN_ADVICE,
} from './report.ts';

/** Lines shown; the JSON has all. */
const MOST_SHOWN = 50;
const MOST_CLASSES = 6;
const LONGEST_URL = 90;

export function formatLook(report: BrowserReport, courses: Courses): string {
  const blocks = [headlineOf(report)];
  if (report.targets.length > 0) blocks.push(indent(tableOfTargets(report, courses)));
  if (report.unseen.length > 0) {
    const rows = report.unseen.map(({ type, url, why }) => [type, shortUrl(url), why]);
    blocks.push(
      `Not looked into\n\n${indent(formatTable(['type', 'address', 'why'], rows, []))}\n\n${UNSEEN_ADVICE}`,
    );
  }
  blocks.push(ADVICE.join('\n'));
  return blocks.join('\n\n');
}

export function headlineOf(report: BrowserReport): string {
  const { browser, targets, held, heldByConsole } = report;
  const places =
    targets.length === 1
      ? 'one page, frame or worker'
      : `${formatCount(targets.length)} pages, frames and workers`;
  const sentence =
    `${browser} holds ${formatCount(held)} objects in ${places}: ` +
    `${formatCount(heldByClientsOf(report))} for its clients, ${formatCount(heldByConsole)} for its console.`;
  const failure = failureOf(report);
  return failure === undefined ? sentence : `${sentence}\n${failure}`;
}

/** The columns of figures: their titles, and their contents. */
export const LOOK_HEAD: readonly string[] = [
  'held',
  'console',
  'kept alive',
  'heap',
  'pause',
  'type',
  'classes',
  'address',
];

export function lookRow(target: TargetLook): string[] {
  return [
    formatCount(target.held),
    formatCount(target.heldByConsole),
    formatBytes(target.retainedBytes),
    formatBytes(target.heapBytes) + (target.sharesHeapWith > 0 ? ' shared' : ''),
    `${(target.pauseMs / 1_000).toFixed(2)} s`,
    target.type,
    classesOf(target),
    shortUrl(target.url),
  ];
}

function tableOfTargets({ targets }: BrowserReport, courses: Courses): string {
  const shown = targets.slice(0, MOST_SHOWN);
  const isSeries = shown.some(({ targetId }) => courses.of(targetId).length > 1);
  const rows = shown.map((target) => {
    const row = lookRow(target);
    return isSeries
      ? [row[0] ?? '', growthOf(target, courses), courseOf(target, courses), ...row.slice(1)]
      : row;
  });
  const head = isSeries ? [LOOK_HEAD[0] ?? '', 'since', 'course', ...LOOK_HEAD.slice(1)] : LOOK_HEAD;
  const table = formatTable(head, rows, isSeries ? [0, 1, 3, 4, 5, 6] : [0, 1, 2, 3, 4]);
  const more = targets.length - shown.length;
  return more > 0 ? `${table}\n… and ${formatCount(more)} more, with fewer` : table;
}

/** The change since the target was first looked into. */
export function growthOf({ targetId, held }: TargetLook, courses: Courses): string {
  const first = courses.of(targetId)[0]?.held ?? held;
  return held > first ? `+${formatCount(held - first)}` : formatCount(held - first);
}

const BARS = '▁▂▃▄▅▆▇█';
const LONGEST_COURSE = 20;

function courseOf({ targetId }: TargetLook, courses: Courses): string {
  const points = courses.of(targetId).slice(-LONGEST_COURSE);
  const most = Math.max(1, ...points.map(({ held }) => held));
  return points.map(({ held }) => BARS[Math.floor((held / most) * (BARS.length - 1))]).join('');
}

export function classesOf({ classes }: TargetLook): string {
  const entries = Object.entries(classes);
  const shown = entries
    .slice(0, MOST_CLASSES)
    .map(([name, count]) => `${formatCount(count)} ${shorten(name, 30)}`);
  const more = entries.length - shown.length;
  return [...shown, ...(more > 0 ? [`${formatCount(more)} classes more`] : [])].join(', ');
}

/** Small heaps have one decimal. */
export function formatBytes(bytes: number): string {
  const megabytes = bytes / 1e6;
  return `${megabytes >= 100 ? formatCount(Math.round(megabytes)) : megabytes.toFixed(1)} MB`;
}

export function shortUrl(url: string): string {
  return shorten(url, LONGEST_URL);
}

function shorten(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
