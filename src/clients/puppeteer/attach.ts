/**
 * The one line. Checks what it is given, finds the attachment that covers it already, and else makes one for
 * the protocol that its browser speaks.
 *
 * Invariant: a browser, and each of its parts, has one attachment at a time, whoever asks for it.
 */
import {
  type AttachOptions,
  type ResolvedAttachOptions,
  resolveAttachOptions,
} from '../../handles/attach-options.ts';
import { describeGiven, isPlaywrights } from '../given.ts';
import { Notes } from '../session-ownership.ts';
import { attachOverCdp } from './attach-over-cdp.ts';
import { attachOverBidi } from './bidi/attach-bidi.ts';
import { type BidiConnectionLike, bidiConnectionOf } from './bidi/structure.ts';
import { browserBehind } from './browser-behind.ts';
import { connectionOf } from './browser-connection.ts';
import { attachmentOfPopup, type PuppeteerAttachment } from './puppeteer-attachment.ts';
import {
  type BrowserLike,
  type ConnectionLike,
  isBrowser,
  isBrowserContext,
  isPage,
  isSession,
  type Subject,
} from './structure.ts';

/**
 * Attachments by what they were made for: a whole browser by its connection (others may have wrapped the
 * browser in a proxy), anything else by itself.
 */
const attachments = new Notes<PuppeteerAttachment>('puppeteer-attachment');

/**
 * From now on no remote object outlives its last use, in this browser, context, page or session, and in all
 * that it opens. Attaching again gives the same attachment; so does attaching to a part of what is
 * attached already. What each call took, one `detach` gives back. What was attached to a page by itself is detached as
 * the page and all that it opened have closed.
 *
 * @example
 * ```ts
 * const browser = await puppeteer.launch();
 * using releases = attach(browser);
 * ```
 * @param given a Puppeteer `Browser`, `BrowserContext`, `Page` or `CDPSession`; or crawlee's Proxy of a browser.
 * @throws TypeError if it is none of these; Error if it is closed; TypeError or RangeError for a bad option.
 */
export function attach(given: Subject, options: AttachOptions = {}): PuppeteerAttachment {
  const resolved = resolveAttachOptions(options);
  if (isPlaywrights(given)) throw notExpected(given); // Some have what Puppeteer's have.
  const subject = isBrowser(given) ? browserBehind(given) : given;
  const key = keyOf(subject);
  const known = attachmentOf(key) ?? coveringAttachment(subject);
  if (known !== undefined) return known.hold(options);

  const attachment = attachNow(subject, resolved);
  if (attachment.detached) return attachment; // Its signal may have fired.
  attachments.set(key, attachment);
  attachment.onDetach(() => attachments.delete(key, attachment));
  return attachment;
}

function attachNow(subject: Subject, options: ResolvedAttachOptions): PuppeteerAttachment {
  const browser = isSession(subject)
    ? null
    : isPage(subject) || !isBrowser(subject)
      ? subject.browser()
      : subject;
  const bidi = browser === null ? undefined : bidiConnectionOf(browser);
  if (!isSession(subject) && browser !== null && bidi !== undefined) {
    return attachOverBidi(subject, browser, bidi, options);
  }
  return attachOverCdp(subject, options);
}

/** The attachment that covers a page, a context or a browser, if any does. @throws what `attach` throws. @internal */
export function attachedTo(given: Subject): PuppeteerAttachment | undefined {
  const subject = isBrowser(given) ? browserBehind(given) : given;
  return attachmentOf(keyOf(subject)) ?? coveringAttachment(subject);
}

/** The attachment that was made for just this, while it lasts. */
function attachmentOf(key: object): PuppeteerAttachment | undefined {
  const attachment = attachments.get(key);
  return attachment?.detached === false ? attachment : undefined;
}

/** Checks the subject, and gives what its attachment is filed under. */
function keyOf(subject: Subject): object {
  if (isSession(subject)) {
    if (subject.detached === true) throw closed('CDPSession');
    if (subject.connection() === undefined) throw closed('CDPSession, if its browser speaks CDP at all,');
    return subject;
  }
  if (isPage(subject)) {
    requireReachable(subject.browser());
    if (subject.isClosed()) throw closed('Page');
    return subject;
  }
  if (isBrowser(subject)) {
    requireReachable(subject);
    return filedUnder(subject) ?? subject;
  }
  if (isBrowserContext(subject)) {
    const browser = subject.browser();
    if (browser === null || subject.closed === true) throw closed('BrowserContext');
    requireReachable(browser);
    return subject;
  }
  throw notExpected(subject);
}

function notExpected(given: unknown): TypeError {
  return new TypeError(
    `attach: expected a Puppeteer Browser, BrowserContext, Page or CDPSession, got ${describeGiven(given)}`,
  );
}

function requireReachable(browser: BrowserLike): void {
  if (browser.connected === false) throw closed('Browser');
  if (isTooOld(browser)) {
    throw new Error(
      'attach: the browser of so old a Puppeteer cannot be attached to; from version 16 on it can.',
    );
  }
  if (!isAttachable(browser)) {
    throw new Error(
      'attach: this browser is driven over WebDriver BiDi, by a connection that cannot be found.',
    );
  }
}

/** Whether a browser can be attached to while it is open. */
export function isAttachable(browser: BrowserLike): boolean {
  if (browser.protocol === 'webDriverBiDi') return bidiConnectionOf(browser) !== undefined;
  return !isTooOld(browser);
}

/** Before Puppeteer 16 it asked for each session, as a script does, and its targets do not tell theirs. */
function isTooOld(browser: BrowserLike): boolean {
  const targets = browser.protocol === undefined ? browser.targets() : [];
  return targets.length > 0 && targets.every((target) => typeof target._session !== 'function');
}

/** What the attachment of a whole browser is filed under. */
function filedUnder(browser: BrowserLike): ConnectionLike | BidiConnectionLike | undefined {
  return bidiConnectionOf(browser) ?? connectionOf(browser);
}

function closed(what: string): Error {
  return new Error(`attach: this ${what} is closed.`);
}

/** An attachment that covers the subject as a part of something larger, or was filed before its connection was known. */
function coveringAttachment(subject: Subject): PuppeteerAttachment | undefined {
  if (isSession(subject)) return undefined; // A session of the user's own is no part of anything.
  if (isPage(subject)) {
    const attachment = attachmentOfAll(subject.browser()) ?? attachmentOf(subject.browserContext());
    return attachment ?? attachmentOfPopup(subject);
  }
  const browser = isBrowser(subject) ? subject : subject.browser();
  return browser === null ? undefined : attachmentOfAll(browser);
}

/** The attachment of a whole browser. Made while it had no page, it is filed under the browser itself. */
function attachmentOfAll(browser: BrowserLike): PuppeteerAttachment | undefined {
  return attachmentOf(filedUnder(browser) ?? browser) ?? attachmentOf(browser);
}
