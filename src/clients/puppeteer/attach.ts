/**
 * `attach` for Puppeteer. Checks its argument, finds an attachment that covers it already, or makes one for the protocol that the
 * browser speaks.
 *
 * Invariant: a browser, and each of its parts, has one attachment at a time, however often it is attached to.
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
 * Attachments by the object that they were made for. For a whole browser that is its connection: the browser may be wrapped in a
 * proxy.
 */
const attachments = new Notes<PuppeteerAttachment>('puppeteer-attachment');

/**
 * From now on remote objects that the script no longer references are released automatically, in this browser, context,
 * page or session, and in all that it opens. Attaching again, or to a part of what is attached, gives the same attachment;
 * each call needs a `detach` of its own. An attachment to a single page is detached when the page and all that it opened
 * have closed.
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
  if (isPlaywrights(given)) throw notExpected(given); // Some of these have the members of Puppeteer's.
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

/** The attachment that was made for exactly this object, while it lasts. */
function attachmentOf(key: object): PuppeteerAttachment | undefined {
  const attachment = attachments.get(key);
  return attachment?.detached === false ? attachment : undefined;
}

/** Checks the subject. @returns the key of its attachment. */
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

/** Before Puppeteer 16 Puppeteer asked for each session, as a script does, and its targets do not give theirs. */
function isTooOld(browser: BrowserLike): boolean {
  const targets = browser.protocol === undefined ? browser.targets() : [];
  return targets.length > 0 && targets.every((target) => typeof target._session !== 'function');
}

/** The key of a whole browser's attachment. */
function filedUnder(browser: BrowserLike): ConnectionLike | BidiConnectionLike | undefined {
  return bidiConnectionOf(browser) ?? connectionOf(browser);
}

function closed(what: string): Error {
  return new Error(`attach: this ${what} is closed.`);
}

/** An attachment that covers the subject as a part of something larger, or was filed before its connection was known. */
function coveringAttachment(subject: Subject): PuppeteerAttachment | undefined {
  if (isSession(subject)) return undefined; // A session that the user made belongs to nothing larger.
  if (isPage(subject)) {
    const attachment = attachmentOfAll(subject.browser()) ?? attachmentOf(subject.browserContext());
    return attachment ?? attachmentOfPopup(subject);
  }
  const browser = isBrowser(subject) ? subject : subject.browser();
  return browser === null ? undefined : attachmentOfAll(browser);
}

/** The attachment of a whole browser. If it was made while the browser had no page, its key is the browser itself. */
function attachmentOfAll(browser: BrowserLike): PuppeteerAttachment | undefined {
  return attachmentOf(filedUnder(browser) ?? browser) ?? attachmentOf(browser);
}
