/** The report for people, at a terminal. Text that pages choose is only in tables, which make it printable. */
import { type Leak, undisposed } from '../../observe/leak-report.ts';
import { printable } from '../../observe/printable.ts';
import { formatCount, formatMegabytes, formatSeconds, formatTable } from '../format.ts';
import { type DoctorReport, shownLine } from './report.ts';

/** Lines shown of each kind; the JSON has all. */
const MOST_SHOWN = 20;

export function formatReport(report: DoctorReport): string {
  const blocks = [headline(report)];
  const add = (title: string, leaks: readonly Leak[], table: (leaks: readonly Leak[]) => string): void => {
    if (leaks.length === 0) return;
    const more = leaks.length - MOST_SHOWN;
    const rest = more > 0 ? `\n… and ${formatCount(more)} lines more` : '';
    blocks.push(`${title}\n\n${indent(table(leaks.slice(0, MOST_SHOWN)) + rest)}`);
  };
  add('Never disposed of, by the line that asked for them', report.leaks, leakTable);
  add('Still alive, the oldest first', report.alive, aliveTable);
  add('Errors thrown in the page', report.thrown, countTable);
  add('Uncaught errors of the page', report.pageErrors, countTable);
  add('Arguments of console messages, by the line that logged them', report.console, countTable);
  add(`${CLIENT_TITLE}\n${CLIENT_COLUMNS}`, report.client, clientTable);
  if (report.heldByOthers.held > 0) {
    blocks.push(`${OTHERS_TITLE}\n\n${indent(formatTable(OTHERS_HEAD, othersRows(report), [0]))}`);
  }
  blocks.push([...othersLines(report), costLine(report)].join('\n'));
  const advice = adviceOf(report);
  if (advice.length > 0) blocks.push(advice.join('\n'));
  return blocks.join('\n\n');
}

/** The outcome, in a few sentences. */
export function headline(report: DoctorReport): string {
  const lines = [`${outcomeOf(report)}`];
  if (report.whyNothing !== undefined) {
    lines.push(`The doctor ${printable(report.whyNothing)}`);
    return lines.join('\n');
  }
  const { totals, leaked, peak, failOver } = report;
  lines.push(
    // Without verbs: each number may be one.
    `Handles: ${formatCount(totals.minted)}. Disposed of: ${formatCount(totals.disposed)}${byClient(report)}, ` +
      `forgotten: ${formatCount(totals.collected)}, held until their page ended: ${formatCount(totals.elided)}, ` +
      `alive: ${formatCount(totals.live)}. The most alive at a time: ${formatCount(peak.live)}. ` +
      `The heaps of all pages together: ${formatMegabytes(peak.heapBytes)} at most, garbage included.`,
    leaked === 0
      ? 'The script disposed of every handle that it was given.'
      : `The script did not dispose of ${formatCount(leaked)} of its own.`,
  );
  if (failOver !== undefined && leaked > failOver) lines.push(`That is more than ${formatCount(failOver)}.`);
  if (leaked > 0) lines.push(...attachedLines(report));
  return lines.join('\n');
}

/** Whose disposals these were, where not all were the script's. */
function byClient({ totals, disposedByClient }: DoctorReport): string {
  if (disposedByClient === 0) return '';
  const part = disposedByClient === totals.disposed ? 'all' : formatCount(disposedByClient);
  return ` (${part} by the client itself)`;
}

/** That attaching does not change what the doctor counts. */
function attachedLines({ attached, browsers }: DoctorReport): string[] {
  if (attached === 0) return [];
  const forgets =
    attached === browsers
      ? 'The script is attached: what it forgets'
      : `The script is attached to ${formatCount(attached)} of its ${formatCount(browsers)} browsers: what it forgets there`;
  return [
    `${forgets} is released for it as its process collects garbage. The doctor counts it all the same.`,
  ];
}

/** What the reader can do about it: below the tables. */
export function adviceOf(report: DoctorReport): string[] {
  const { script, attached, browsers, leaked, thrown, pageErrors, console, client } = report;
  if (attached === browsers) return []; // It is done already, or there is no browser.
  const lines: string[] = [];
  if (leaked > 0)
    lines.push('To let go of the handles: `await handle.dispose()` at the lines above, or attach.');
  if (console.length > 0)
    lines.push('To let go of console arguments: dispose of each of `message.args()`, or attach.');
  if (thrown.length + pageErrors.length > 0 || client.some(({ collected }) => collected > 0))
    lines.push('Errors, and what the client leaves behind, are released only where the script is attached.');
  if (lines.length > 0)
    lines.push(
      `To attach without a change to the script: node --import cdp-release-batcher/register ${printable(script)}`,
    );
  return lines;
}

function outcomeOf({ script, exitCode, signal, elapsedMs, occasion }: DoctorReport): string {
  const name = printable(script);
  const after = `after ${formatSeconds(elapsedMs)}`;
  // All was counted that the script had been given by then; a last collection was not to be had.
  const untold = occasion === 'checkpoint' ? '; what it had forgotten may be counted as alive' : '';
  if (signal !== undefined) return `${name} was ended by ${signal} ${after}${untold}.`;
  if (exitCode === undefined) return `${name}, ${after}.`;
  return `${name} ended with code ${exitCode} ${after}.`;
}

export const LEAK_HEAD: readonly string[] = ['handles', 'forgotten', 'with page', 'alive', 'kind', 'line'];

export function leakRow(leak: Leak): string[] {
  return [
    formatCount(undisposed(leak)),
    formatCount(leak.collected),
    formatCount(leak.elided),
    formatCount(leak.live),
    leak.kind,
    shownLine(leak.line),
  ];
}

function leakTable(leaks: readonly Leak[]): string {
  return formatTable(LEAK_HEAD, leaks.map(leakRow), [0, 1, 2, 3]);
}

function aliveTable(leaks: readonly Leak[]): string {
  const rows = leaks.map((leak) => [
    formatCount(leak.live),
    formatSeconds(leak.oldestMs ?? 0),
    leak.kind,
    shownLine(leak.line),
  ]);
  return formatTable(['handles', 'oldest', 'kind', 'line'], rows, [0, 1]);
}

function countTable(leaks: readonly Leak[]): string {
  const rows = leaks.map((leak) => [formatCount(undisposed(leak)), leak.kind, shownLine(leak.line)]);
  return formatTable(['number', 'kind', 'line'], rows, [0]);
}

export const CLIENT_TITLE =
  "Made by the client itself (Puppeteer or Playwright), by the script's line that called it";
export const CLIENT_COLUMNS =
  'Left behind: nothing references it any more. Kept: in use by the client, to the end or until its page ended.';

function clientTable(leaks: readonly Leak[]): string {
  const rows = leaks.map((leak) => [
    formatCount(leak.collected),
    formatCount(leak.live + leak.elided),
    leak.kind,
    shownLine(leak.line),
  ]);
  return formatTable(['left behind', 'kept', 'kind', 'line'], rows, [0, 1]);
}

export function costLine({ cost, elapsedMs }: DoctorReport): string {
  const share = elapsedMs > 0 ? (100 * cost.elapsedMs) / elapsedMs : 0;
  return `Naming the lines cost ${cost.elapsedMs.toFixed(0)} ms (${share.toFixed(1)} % of the run).`;
}

export const OTHERS_TITLE =
  'Held by others, in pages that were open when the script closed the browser: by sessions that the script made itself, or by other clients';
export const OTHERS_HEAD: readonly string[] = ['handles', 'type', 'address'];

export function othersRows({ heldByOthers }: DoctorReport): string[][] {
  return heldByOthers.targets.map(({ held, type, url }) => [formatCount(held), type, url]);
}

/** Where what others hold was not looked for, and why. */
export function othersLines({ browsers, heldByOthers, exitCode, signal }: DoctorReport): string[] {
  if (exitCode === undefined && signal === undefined) return []; // The script still runs.
  const reasons = new Map<string, number>();
  const unclosed = browsers - heldByOthers.browsers;
  const count = (why: string, parts: number): void => void reasons.set(why, (reasons.get(why) ?? 0) + parts);
  const ofBrowsers = browsers === 1 ? 'its browser' : `${formatCount(unclosed)} of its browsers`;
  if (unclosed > 0) count(`the script did not close ${ofBrowsers}`, 0);
  for (const { type, why } of heldByOthers.unseen) count(why, type === 'browser' ? 0 : 1);
  return [...reasons].map(([why, parts]) => {
    const where = parts === 0 ? '' : ` in ${formatCount(parts)} of the pages, frames and workers`;
    return `Handles held by others were not looked for${where}: ${printable(why)}.`;
  });
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
