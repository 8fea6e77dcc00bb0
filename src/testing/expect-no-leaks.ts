/**
 * An assertion for tests: a piece of code disposes of the handles that it asks for. It belongs to no test framework: it
 * throws an `AssertionError`, which each of them knows. Handles that Puppeteer leaves behind itself, that other code mints
 * on the same page meanwhile, and that the body returns, do not count.
 */
import { AssertionError } from 'node:assert';
import { describeGiven } from '../clients/given.ts';
import { attach as attachPlaywright, coverageWithin } from '../clients/playwright/attach.ts';
import { PlaywrightAttachment, remoteObjectOf } from '../clients/playwright/playwright-attachment.ts';
import * as playwright from '../clients/playwright/structure.ts';
import { attach } from '../clients/puppeteer/attach.ts';
import { remoteObjectsIn } from '../clients/puppeteer/call-trace.ts';
import { type HeldByOthers, heldByOthers } from '../clients/puppeteer/held-by-others.ts';
import { PuppeteerAttachment } from '../clients/puppeteer/puppeteer-attachment.ts';
import {
  type BrowserContextLike,
  type BrowserLike,
  isBrowser,
  isBrowserContext,
  isPage,
  type PageLike,
} from '../clients/puppeteer/structure.ts';
import type { Leak } from '../observe/leak-report.ts';
import { printable } from '../observe/printable.ts';
import { runWindow, TraceWindow } from '../observe/traced-call.ts';
import type { TracedMint } from '../observe/traced-mint.ts';
import {
  booleanOption,
  integerOption,
  requireKnownOptions,
  requireObject,
} from '../runtime/option-checks.ts';

/** What `expectNoLeaks` allows. */
export interface ExpectNoLeaksOptions {
  /** Handles that may be left undisposed. Default 0. */
  readonly allow?: number | undefined;
  /**
   * Whether handles of others count as well, beyond those that they held before: of a session that you made yourself, or of
   * another client. It takes a heap snapshot before the body and one after it, for each page, frame and worker. Each takes
   * some tenths of a second, in which the page stands still. Default `false`.
   */
  readonly heldByOthers?: boolean | undefined;
}

/** As in `node:assert`, but described without the types of Node, which a user need not have. */
interface AssertionFailure extends Error {
  readonly code: 'ERR_ASSERTION';
  actual: unknown;
  expected: unknown;
  operator: string;
  generatedMessage: boolean;
}
const AssertionFailure: new (
  options: Readonly<Record<'message' | 'operator', string> & Record<'actual' | 'expected', unknown>>,
) => AssertionFailure = AssertionError;

/** More handles were left undisposed than allowed. The message lists the lines that asked for them. */
export class LeakError extends AssertionFailure {
  /** The handles left, by line and kind; the worst first. */
  readonly leaks: readonly LeakedLine[];
  /** What others hold, the most first. Empty unless asked for. */
  readonly heldByOthers: readonly HeldElsewhere[];

  constructor(leaks: readonly LeakedLine[], allowed: number, heldByOthers: readonly HeldElsewhere[] = []) {
    const actual = [...leaks, ...heldByOthers].reduce((sum, { count }) => sum + count, 0);
    super({
      message: messageOf(leaks, heldByOthers, actual, allowed),
      actual,
      expected: allowed,
      operator: 'expectNoLeaks',
    });
    this.leaks = leaks;
    this.heldByOthers = heldByOthers;
  }
}

/** Handles of one kind that one line asked for, and that nothing disposed of. */
export interface LeakedLine extends Pick<Leak, 'line' | 'kind'> {
  /** Handles. */
  readonly count: number;
}

/** Handles that the browser holds in one page, frame or worker for others. */
export interface HeldElsewhere {
  /** As CDP's TargetInfo has it: `page`, `iframe`, `worker`, … */
  readonly type: string;
  readonly url: string;
  /** Handles. */
  readonly count: number;
}

/**
 * Runs `body`, and fails if handles that it got on this page, or in its frames and workers, are not disposed of by its end;
 * for a browser or a context, on any page. Handles that its event listeners and exposed functions get count too, and so do
 * those of a body inside it. Handles that `body` returns, alone or in an array or a map, belong to the caller.
 *
 * @example
 * ```ts
 * await expectNoLeaks(page, async () => {
 *   using button = await page.waitForSelector('button');
 *   await button.click();
 * });
 * ```
 * @returns what `body` gave.
 * @throws LeakError with the lines; what `body` throws, as it is; TypeError or RangeError for a bad argument; Error where
 * `heldByOthers` is asked for and cannot be told.
 */
export async function expectNoLeaks<T>(
  subject: Subject,
  body: () => T | PromiseLike<T>,
  options: ExpectNoLeaksOptions = {},
): Promise<T> {
  requireObject('options', options);
  requireKnownOptions(options, ['allow', 'heldByOthers']);
  const allowed = integerOption('allow', options.allow, 0, 0, Number.MAX_SAFE_INTEGER);
  const countsOthers = booleanOption('heldByOthers', options.heldByOthers, false);
  if (typeof body !== 'function') throw new TypeError('expectNoLeaks: expected a function to run');
  const traced = isPlaywrights(subject)
    ? traceByPlaywright(subject, countsOthers)
    : traceByPuppeteer(subject);
  const window = new TraceWindow(traced.includes);
  try {
    if (traced.ready !== undefined) await traced.ready(); // Not awaited for a page: its body begins at once.
    const before = countsOthers ? await traced.others?.() : undefined;
    const value = await runWindow(window, body);
    const handedOn = new Set<unknown>(traced.remoteObjectsIn(value));
    const left = [...window.mints].filter(
      (mint) => isUndisposed(mint) && !handedOn.has(mint.remoteObject.deref()),
    );
    if (before === undefined || left.length > allowed) {
      if (left.length > allowed) throw new LeakError(byLine(left), allowed);
      return value;
    }
    const elsewhere = moreThanBefore((await traced.others?.()) ?? [], before);
    const count = elsewhere.reduce((sum, held) => sum + held.count, left.length);
    if (count > allowed) throw new LeakError(byLine(left), allowed, elsewhere);
    return value;
  } finally {
    window.end();
    traced.end();
  }
}

type PuppeteersSubject = PageLike | BrowserContextLike | BrowserLike;
type PlaywrightsSubject = playwright.PageLike | playwright.BrowserContextLike | playwright.BrowserLike;
type Subject = PuppeteersSubject | PlaywrightsSubject;

/** What is traced while a body runs. The subject's attachment is held: one that was made for it ends with the last body. */
interface Traced {
  /** Whether handles minted in a session count. */
  includes(ledger: object): boolean;
  /** Awaited before the body begins. */
  readonly ready?: (() => Promise<void>) | undefined;
  /** The handles that others hold now. */
  others?(): Promise<readonly HeldByOthers[]>;
  /** The handles in a body's result. */
  remoteObjectsIn(value: unknown): Iterable<object>;
  end(): void;
}

function traceByPuppeteer(subject: Subject): Traced {
  if (!isPage(subject) && !isBrowser(subject) && !isBrowserContext(subject)) {
    throw new TypeError(
      `expectNoLeaks: expected a Page, BrowserContext or Browser of Puppeteer or Playwright, got ${describeGiven(subject)}`,
    );
  }
  const attachment = ownCopys(PuppeteerAttachment, attach(subject));
  const untrace = attachment.traceMeanwhile();
  const tracePages = async (): Promise<void> => {
    const { pages } = subject as { pages(): Promise<PageLike[]> };
    for (const page of await pages.call(subject)) attachment.tracePage(page);
  };
  if (isPage(subject)) attachment.tracePage(subject);
  return {
    includes: attachment.sessionsOf(subject),
    ready: isPage(subject) ? undefined : tracePages,
    others: () => othersIn(attachment, subject),
    remoteObjectsIn,
    end: () => {
      untrace();
      attachment.detach();
    },
  };
}

function isPlaywrights(subject: Subject): subject is PlaywrightsSubject {
  return playwright.isPage(subject) || playwright.isBrowserContext(subject) || playwright.isBrowser(subject);
}

function traceByPlaywright(subject: PlaywrightsSubject, countsOthers: boolean): Traced {
  if (countsOthers)
    throw new Error('expectNoLeaks: heldByOthers is for Puppeteer; of Playwright it cannot be told');
  const attachment = ownCopys(PlaywrightAttachment, attachPlaywright(subject));
  const untrace = attachment.traceMeanwhile();
  return {
    includes: attachment.sessionsOf(coverageWithin(subject)),
    remoteObjectsIn: (value) => elementsOf(value).flatMap((handle) => remoteObjectOf(handle) ?? []),
    end: () => {
      untrace();
      attachment.detach();
    },
  };
}

function ownCopys<Own extends Disposable>(Own: new (...args: never[]) => Own, attachment: Disposable): Own {
  if (attachment instanceof Own) return attachment;
  attachment[Symbol.dispose]();
  throw new Error('expectNoLeaks: another copy of cdp-release-batcher is attached there; detach that first');
}

/** A body's result: one handle, an array, a set, or the values of a map. */
function elementsOf(value: unknown): readonly unknown[] {
  if (value instanceof Map) return [...value.values()];
  return Array.isArray(value) || value instanceof Set ? [...value] : [value];
}

/** @throws Error where a target cannot be looked into: an unknown state does not count as clean. */
async function othersIn(
  attachment: PuppeteerAttachment,
  subject: PageLike | BrowserContextLike | BrowserLike,
): Promise<readonly HeldByOthers[]> {
  const { targets, unseen } = await heldByOthers(attachment, subject, OTHERS_LIMITS).catch((cause: Error) => {
    throw new Error(`expectNoLeaks: what others hold cannot be told: ${cause.message}`, { cause });
  });
  const [first] = unseen;
  if (first === undefined) return targets;
  const { type, url, why } = first;
  throw new Error(printable(`expectNoLeaks: what others hold in the ${type} ${url} cannot be told: ${why}`));
}

const OTHERS_LIMITS = { maxHeapBytes: 512e6, timeoutMs: 20_000, budgetMs: Number.POSITIVE_INFINITY };

function moreThanBefore(
  after: readonly HeldByOthers[],
  before: readonly HeldByOthers[] = [],
): readonly HeldElsewhere[] {
  const heldBefore = new Map(before.map(({ targetId, held }) => [targetId, held]));
  return after
    .map(({ type, url, targetId, held }) => ({ type, url, count: held - (heldBefore.get(targetId) ?? 0) }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count);
}

/** A handle that ended with its page needs no disposal. */
function isUndisposed({ fate }: TracedMint): boolean {
  return fate === 'live' || fate === 'collected';
}

function byLine(mints: readonly TracedMint[]): LeakedLine[] {
  const counts = new Map<TracedMint['account'], number>();
  for (const { account } of mints) counts.set(account, (counts.get(account) ?? 0) + 1);
  return [...counts]
    .map(([{ line, kind }, count]) => ({ line, kind, count }))
    .sort((a, b) => b.count - a.count);
}

function messageOf(
  leaks: readonly LeakedLine[],
  others: readonly HeldElsewhere[],
  actual: number,
  allowed: number,
): string {
  const lines = [
    ...leaks.map(({ line, kind, count }) => `  ${count} × ${kind}, asked for at ${line}`),
    ...others.map(
      ({ type, url, count }) =>
        `  ${count} × held by others in the ${type} ${url}: by a session that you made yourself, or another client`,
    ),
  ].map(printable);
  const atMost = allowed === 0 ? '' : `, where ${allowed} may be`;
  return `${actual} ${actual === 1 ? 'handle was' : 'handles were'} not disposed of${atMost}:\n${lines.join('\n')}`;
}
