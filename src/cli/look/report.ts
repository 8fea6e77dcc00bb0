/**
 * The findings of a look into a browser: the form of the JSON, and the changes since the first look. Bytes and milliseconds
 * throughout; counts are handles.
 */
import type { BrowserLook, TargetLook, UnseenTarget } from '../../observe/browser-look.ts';

export interface BrowserReport extends BrowserLook {
  /** Distinguishes it from the report of a script. */
  readonly kind: 'browser';
  readonly schema: 1;
  readonly browser: string;
  readonly endpoint: string;
  /** Since the first look. */
  readonly elapsedMs: number;
  /** Of all targets, including the console's own. */
  readonly held: number;
  readonly heldByConsole: number;
  readonly failOver: number | undefined;
}

export interface LookedAt {
  readonly browser: string;
  readonly endpoint: string;
  readonly failOver: number | undefined;
  readonly elapsedMs: number;
}

export function browserReportOf(look: BrowserLook, of: LookedAt): BrowserReport {
  return {
    kind: 'browser',
    schema: 1,
    ...of,
    held: sumOf(look.targets, ({ held }) => held),
    heldByConsole: sumOf(look.targets, ({ heldByConsole }) => heldByConsole),
    ...look,
  };
}

/** Handles that clients could release; those of the console itself they cannot. */
export function heldByClientsOf({ held, heldByConsole }: Pick<TargetLook, 'held' | 'heldByConsole'>): number {
  return held - heldByConsole;
}

/**
 * Why the report does not pass `--fail-over`; `undefined` where it passes, or the option is not given. A target that was
 * not looked into may hold anything, so it does not pass.
 */
export function failureOf(report: BrowserReport): string | undefined {
  const { failOver, unseen } = report;
  if (failOver === undefined) return undefined;
  const held = heldByClientsOf(report);
  if (held > failOver) return `${count(held)} objects are held for clients: more than ${count(failOver)}.`;
  if (unseen.length === 0) return undefined;
  return `${count(unseen.length)} of the targets could not be looked into, so nothing can be said about --fail-over.`;
}

/** The course of every target, look by look. */
export class Courses {
  readonly #byTarget = new Map<string, CoursePoint[]>();

  add({ targets, elapsedMs }: BrowserReport): void {
    for (const { targetId, held, heapBytes } of targets) {
      const course = this.of(targetId);
      course.push({ elapsedMs, held, heapBytes });
      // As many as a chart can show: of a long course every second point is left out.
      if (course.length > MOST_POINTS)
        this.#byTarget.set(
          targetId,
          course.filter((_, index) => index % 2 === 0),
        );
      else this.#byTarget.set(targetId, course);
    }
    const open = new Set(targets.map(({ targetId }) => targetId));
    for (const targetId of this.#byTarget.keys()) if (!open.has(targetId)) this.#byTarget.delete(targetId);
  }

  of(targetId: string): CoursePoint[] {
    return this.#byTarget.get(targetId) ?? [];
  }
}

export interface CoursePoint {
  readonly elapsedMs: number;
  readonly held: number;
  readonly heapBytes: number;
}

const MOST_POINTS = 400;

/** The targets that could not be looked into. */
export const UNSEEN_ADVICE =
  'A larger --max-heap looks into larger heaps, a longer --timeout waits for slower pages; both hold pages up for longer.';

/** What the reader can do about it: below the table. */
export const ADVICE: readonly string[] = [
  '"Held" is a handle that the browser keeps for a client (Puppeteer, Playwright, Selenium, DevTools, a script of one’s ' +
    'own): its object lives until the client sends Runtime.releaseObject or Runtime.releaseObjectGroup, the page ' +
    'navigates, or the session ends.',
  'Puppeteer, Playwright: attach(browser) of cdp-release-batcher/puppeteer or cdp-release-batcher/playwright, or no line at all: node --import cdp-release-batcher/register script.mjs',
  'Other clients: dispose of each handle (JSHandle.dispose, Runtime.releaseObject), or give what belongs together an ' +
    'objectGroup and end it with Runtime.releaseObjectGroup.',
  '"Console": arguments of the last 1,000 console messages, which the browser keeps for DevTools. No client can release ' +
    'them one by one; Runtime.discardConsoleEntries drops them all.',
];

export type { TargetLook, UnseenTarget };

function sumOf(targets: readonly TargetLook[], figure: (target: TargetLook) => number): number {
  return targets.reduce((sum, target) => sum + figure(target), 0);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
