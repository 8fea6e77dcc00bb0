/**
 * `attach` for browsers that Puppeteer drives over the Chrome DevTools Protocol. Hooks Puppeteer's sessions with a browser, one of
 * its contexts, a page or a session, and follows those to come.
 */
import type { ResolvedAttachOptions } from '../../handles/attach-options.ts';
import { below, shadow } from '../session-hook.ts';
import { wasAutoAttached } from './asked-sessions.ts';
import {
  allTargets,
  connectionByOwnSession,
  connectionOf,
  noteTargetOf,
  targetOf,
  whenClosed,
} from './browser-connection.ts';
import { type Coverage, PuppeteerAttachment } from './puppeteer-attachment.ts';
import {
  type BrowserContextLike,
  type BrowserLike,
  type ConnectionLike,
  isBrowser,
  isPage,
  isSession,
  type PageLike,
  type Subject,
  type TargetLike,
} from './structure.ts';

/** @throws Error for a page whose session cannot be found. */
export function attachOverCdp(subject: Subject, options: ResolvedAttachOptions): PuppeteerAttachment {
  // The user may keep ids as strings of a session that he made.
  const track = options.track ?? (isSession(subject) ? false : undefined);
  const attachment = new PuppeteerAttachment({ ...options, track });
  if (attachment.detached) return attachment; // Its signal had fired.
  // `other` is treated as a worker is.
  if (isSession(subject)) attachment.adoptUsers(subject, targetOf(subject)?.type() ?? 'other');
  else if (isPage(subject)) attachToPage(attachment, subject);
  else if (isBrowser(subject)) attachToBrowser(attachment, subject, wholeBrowser);
  else attachToContext(attachment, subject);
  return attachment;
}

function attachToContext(attachment: PuppeteerAttachment, context: BrowserContextLike): void {
  const browser = context.browser();
  if (browser === null) return;
  // Puppeteer knows no id of the default context: pages of no other context belong to it.
  const isOurs = (id: string | undefined): boolean =>
    context.id === undefined
      ? !browser.browserContexts().some((other) => other.id === id)
      : id === context.id;
  attachment.onDetach(whenClosed(context, () => attachment.detachForAll()));
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
  attachment.adopt(client, 'page', tab, targetOf(client)?._targetId);
  attachment.tracePage(page);
  attachToBrowser(attachment, page.browser(), {
    includesNew: (_event, parent) => attachment.covers(parent),
    includesOld: (_target, session) => attachment.covers(session.parentSession?.()),
    includesPopups: true,
    endsWithItsSessions: true,
  });
  attachment.learnFrames(page); // Last, since the sessions of its frames have to be hooked by then.
}

const wholeBrowser: Coverage = { includesNew: () => true, includesOld: () => true };

function attachToBrowser(attachment: PuppeteerAttachment, browser: BrowserLike, coverage: Coverage): void {
  const onDisconnected = (): void => attachment.detachForAll();
  browser.on('disconnected', onDisconnected);
  attachment.onDetach(() => browser.off('disconnected', onDisconnected));
  const connection = connectionOf(browser);
  if (connection !== undefined) {
    follow(attachment, browser, connection, coverage);
    return;
  }
  // There is no session anywhere yet. Before one can mint, a session of our own has shown us the connection.
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
  attachment.follow(browser, connection, coverage);
  for (const target of allTargets(browser)) {
    const session = target._session?.();
    if (session === undefined || !coverage.includesOld(target, session)) continue;
    if (!wasAutoAttached(browser, target, session)) continue;
    attachment.adopt(session, target.type(), session.parentSession?.(), target._targetId);
    void target.pagePromise?.then(
      (page) => {
        if (page === null) return;
        attachment.learnFrames(page);
        attachment.tracePage(page);
      },
      () => {}, // A page that was never created has no frames.
    );
  }
  watchWorkerTargets(attachment, browser, coverage);
}

/**
 * Puppeteer attaches to a shared or service worker when the script first asks for the worker, in a way that looks like a
 * session of the script's own. So these requests are watched, and a request from before is made again.
 */
function watchWorkerTargets(attachment: PuppeteerAttachment, browser: BrowserLike, coverage: Coverage): void {
  const watched = new Map<TargetLike, () => void>();
  const watch = (target: TargetLike): void => {
    if (watched.has(target)) return;
    const type = target.type();
    if (type !== 'service_worker' && type !== 'shared_worker') return;
    if (target.worker === undefined) return;
    const adoptAnswer = (answer: ReturnType<NonNullable<TargetLike['worker']>>): void => {
      answer.then(
        (found) => {
          if (!found) return;
          noteTargetOf(found.client, target);
          if (!coverage.includesOld(target, found.client)) return;
          attachment.adopt(found.client, type, undefined, target._targetId);
          attachment.traceWorker(found);
        },
        () => {}, // The caller gets the error, or no caller has asked for the worker yet.
      );
    };
    const workerBelow = below(target as TargetLike & Required<Pick<TargetLike, 'worker'>>, 'worker');
    const ask = (): ReturnType<NonNullable<TargetLike['worker']>> => {
      const answer = workerBelow().call(target);
      adoptAnswer(answer);
      return answer;
    };
    adoptAnswer(askedBefore(target, () => workerBelow().call(target)));
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

/**
 * The worker that a target gave before, if it has one; nothing is attached to for it. A target that was not asked before
 * begins by looking for its own session, which ends the search here.
 */
async function askedBefore<Worker>(target: TargetLike, ask: () => Promise<Worker>): Promise<Worker> {
  const notAsked = new Error('nobody has asked for this worker yet');
  if (target._session === undefined) throw notAsked;
  const restore = shadow(target, '_session', () => {
    throw notAsked;
  });
  let answer: Promise<Worker>;
  try {
    answer = ask();
  } finally {
    restore();
  }
  return answer;
}
