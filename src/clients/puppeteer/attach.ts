/**
 * The one line. Finds the connection behind what it is given, hooks the sessions that Puppeteer has on it,
 * and follows those to come.
 */
import { show } from '../../batcher/options.ts';
import {
  type AttachOptions,
  type ResolvedAttachOptions,
  resolveAttachOptions,
} from '../../handles/attach-options.ts';
import { shadow } from '../session-hook.ts';
import { attachOverBidi } from './bidi/attach-bidi.ts';
import { type BidiConnectionLike, bidiConnectionOf } from './bidi/structure.ts';
import { browserBehind } from './browser-behind.ts';
import { type Coverage, PuppeteerAttachment } from './puppeteer-attachment.ts';
import {
  type BrowserContextLike,
  type BrowserLike,
  type CdpSessionLike,
  type ConnectionLike,
  isBrowser,
  isBrowserContext,
  isPage,
  isSession,
  type PageLike,
  type Subject,
  type TargetLike,
} from './structure.ts';

/**
 * Attachments by what they were made for: a whole browser by its connection (others may have wrapped the
 * browser in a proxy), anything else by itself.
 */
const attachments = new WeakMap<object, PuppeteerAttachment>();

/**
 * From now on no remote object outlives its last use, in this browser, context, page or session, and in all
 * that it opens. Attaching again gives the same attachment; so does attaching to a part of what is
 * attached already.
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
  const subject = isBrowser(given) ? browserBehind(given) : given;
  const key = keyOf(subject);
  const known = attachmentOf(key) ?? coveringAttachment(subject);
  if (known !== undefined) return known;

  const attachment = attachNow(subject, resolved);
  if (!attachment.detached) attachments.set(key, attachment); // Its signal may have fired.
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
  const attachment = new PuppeteerAttachment(options);
  if (attachment.detached) return attachment;
  if (isSession(subject)) attachment.adoptUsers(subject, targetTypeOf(subject));
  else if (isPage(subject)) attachToPage(attachment, subject);
  else if (isBrowser(subject)) attachToBrowser(attachment, subject, wholeBrowser);
  else attachToContext(attachment, subject);
  return attachment;
}

/** The attachment that covers a page, if any does. @throws what `attach` throws. @internal */
export function attachedTo(page: PageLike): PuppeteerAttachment | undefined {
  return attachmentOf(keyOf(page)) ?? coveringAttachment(page);
}

/** The attachment that was made for just this, while it lasts. */
function attachmentOf(key: object): PuppeteerAttachment | undefined {
  const attachment = attachments.get(key);
  return attachment?.detached === false ? attachment : undefined;
}

/** Checks the subject, and gives what its attachment is filed under. */
function keyOf(subject: Subject): object {
  if (isSession(subject)) {
    if (subject.detached === true || subject.connection() === undefined) throw closed('CDPSession');
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
  throw new TypeError(
    `attach: expected a Puppeteer Browser, BrowserContext, Page or CDPSession, got ${show(subject)}`,
  );
}

function requireReachable(browser: BrowserLike): void {
  if (browser.connected === false) throw closed('Browser');
  if (!isAttachable(browser)) {
    throw new Error(
      'attach: this browser is driven over WebDriver BiDi, by a connection that cannot be found.',
    );
  }
}

/** Whether a browser can be attached to while it is open. */
export function isAttachable(browser: BrowserLike): boolean {
  return browser.protocol !== 'webDriverBiDi' || bidiConnectionOf(browser) !== undefined;
}

/** What the attachment of a whole browser is filed under. */
function filedUnder(browser: BrowserLike): ConnectionLike | BidiConnectionLike | undefined {
  return bidiConnectionOf(browser) ?? connectionOf(browser);
}

function closed(what: string): Error {
  return new Error(`attach: this ${what} is closed.`);
}

/** An attachment that covers the subject as a part of something larger. */
function coveringAttachment(subject: Subject): PuppeteerAttachment | undefined {
  if (isSession(subject)) return undefined; // A session of the user's own is no part of anything.
  const candidates: (object | undefined)[] = isPage(subject)
    ? [filedUnder(subject.browser()), subject.browserContext()]
    : [isBrowserContext(subject) && !isBrowser(subject) ? connectionBehind(subject) : undefined];
  for (const candidate of candidates) {
    const attachment = candidate && attachmentOf(candidate);
    if (attachment !== undefined) return attachment;
  }
  return undefined;
}

function connectionBehind(context: BrowserContextLike): object | undefined {
  const browser = context.browser();
  return browser === null ? undefined : filedUnder(browser);
}

function attachToContext(attachment: PuppeteerAttachment, context: BrowserContextLike): void {
  const browser = context.browser();
  if (browser === null) return;
  // The default context has no id that Puppeteer would know of: what is nobody else's is its.
  const isOurs = (id: string | undefined): boolean =>
    context.id === undefined
      ? !browser.browserContexts().some((other) => other.id === id)
      : id === context.id;
  attachToBrowser(attachment, browser, {
    includesNew: ({ targetInfo }, parent) =>
      parent !== undefined && attachment.covers(parent) ? true : isOurs(targetInfo.browserContextId),
    includesOld: (target) => target.browserContext?.() === context,
  });
}

function attachToPage(attachment: PuppeteerAttachment, page: PageLike): void {
  const client = page._client?.();
  if (client === undefined) {
    throw new Error('attach: this Page has no session to be found; attach to its Browser instead.');
  }
  // The tab above the page stays when the page's own session is swapped for a prerendered one.
  const parent = client.parentSession?.();
  const tab = parent === client ? undefined : parent;
  if (tab !== undefined) attachment.adopt(tab, 'tab', undefined);
  attachment.adopt(client, 'page', tab);
  attachment.learnFrames(client, page);
  attachment.tracePage(page);
  attachToBrowser(attachment, page.browser(), {
    includesNew: (_event, parent) => attachment.covers(parent),
    includesOld: (_target, session) => attachment.covers(session.parentSession?.()),
  });
}

const wholeBrowser: Coverage = { includesNew: () => true, includesOld: () => true };

function attachToBrowser(attachment: PuppeteerAttachment, browser: BrowserLike, coverage: Coverage): void {
  const connection = connectionOf(browser);
  if (connection !== undefined) {
    follow(attachment, browser, connection, coverage);
    return;
  }
  // No session anywhere yet: nothing can be minted before one of our own has told us the connection.
  void connectionByOwnSession(browser).then((found) => {
    if (found !== undefined && !attachment.detached) follow(attachment, browser, found, coverage);
  });
}

function follow(
  attachment: PuppeteerAttachment,
  browser: BrowserLike,
  connection: ConnectionLike,
  coverage: Coverage,
): void {
  attachment.follow(connection, coverage);
  for (const target of allTargets(browser)) {
    const session = target._session?.();
    if (session === undefined || !coverage.includesOld(target, session)) continue;
    attachment.adopt(session, target.type(), session.parentSession?.());
    void target.pagePromise?.then(
      (page) => {
        if (page === null) return;
        attachment.learnFrames(session, page);
        attachment.tracePage(page);
      },
      () => {}, // A page that never came to be has no frames.
    );
  }
  watchWorkerTargets(attachment, browser, coverage);
}

/**
 * Puppeteer attaches to a shared or service worker when the script first asks for it, in a way that looks
 * like a session of the script's own. So it is the asking that is watched.
 */
function watchWorkerTargets(attachment: PuppeteerAttachment, browser: BrowserLike, coverage: Coverage): void {
  const watched = new Map<TargetLike, () => void>();
  const watch = (target: TargetLike): void => {
    if (watched.has(target)) return;
    const type = target.type();
    if (type !== 'service_worker' && type !== 'shared_worker') return;
    const worker = target.worker?.bind(target);
    if (worker === undefined) return;
    const ask = (): ReturnType<typeof worker> => {
      const answer = worker();
      answer.then(
        (found) => {
          if (found && coverage.includesOld(target, found.client))
            attachment.adopt(found.client, type, undefined);
        },
        () => {}, // The caller has the error.
      );
      return answer;
    };
    watched.set(target, shadow(target, 'worker', ask));
  };
  const forget = (target: TargetLike): void => void watched.delete(target);
  browser.on('targetcreated', watch);
  browser.on('targetdestroyed', forget);
  attachment.onDetach(() => {
    browser.off('targetcreated', watch);
    browser.off('targetdestroyed', forget);
    for (const unshadow of watched.values()) unshadow();
  });
  for (const target of browser.targets()) watch(target);
}

/** The connection behind a browser, by way of any session that Puppeteer has on it. */
function connectionOf(browser: BrowserLike): ConnectionLike | undefined {
  for (const target of allTargets(browser)) {
    const connection = target._session?.()?.connection();
    if (connection !== undefined) return connection;
  }
  return undefined;
}

async function connectionByOwnSession(browser: BrowserLike): Promise<ConnectionLike | undefined> {
  try {
    const session = await browser.target().createCDPSession();
    const connection = session.connection();
    await session.detach?.();
    return connection;
  } catch {
    return undefined; // The browser went away: there is nothing to attach to.
  }
}

function allTargets(browser: BrowserLike): TargetLike[] {
  const available = browser._targetManager?.().getAvailableTargets?.();
  return available === undefined ? browser.targets() : [...available.values()];
}

/** `other`, which is treated with the care that a worker needs, where it cannot be told. */
function targetTypeOf(session: CdpSessionLike): string {
  try {
    return session.target?.().type() ?? 'other';
  } catch {
    return 'other';
  }
}
