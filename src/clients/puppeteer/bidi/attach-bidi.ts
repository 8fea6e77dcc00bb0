/** Attaches to what Puppeteer drives over WebDriver BiDi: a browser, one of its contexts, or a page of it. */
import type { ResolvedAttachOptions } from '../../../handles/attach-options.ts';
import { whenClosed } from '../browser-connection.ts';
import { type BrowserContextLike, type BrowserLike, isBrowser, isPage, type PageLike } from '../structure.ts';
import { BidiAttachment, type ContextCoverage } from './bidi-attachment.ts';
import { tapOf } from './connection-tap.ts';
import { RealmSender } from './realm-sender.ts';
import {
  type BidiConnectionLike,
  browsingContextsOf,
  contextIdsOfPage,
  includesContext,
  type ScriptTarget,
} from './structure.ts';

/** @throws Error for a browser context that does not list its pages. */
export function attachOverBidi(
  subject: BrowserLike | BrowserContextLike | PageLike,
  browser: BrowserLike,
  connection: BidiConnectionLike,
  options: ResolvedAttachOptions,
): BidiAttachment {
  const pages: CoveredPages = new Map();
  const coverage = isPage(subject) ? coverageOfPages(pages) : coverageOf(subject);
  const createSender = (target: ScriptTarget) => new RealmSender(connection, tapOf(connection).send, target);
  const attachment = new BidiAttachment(options, coverage, createSender);
  if (attachment.detached) return attachment; // Its signal had fired.
  const tap = tapOf(connection);
  tap.join(attachment);
  const onDisconnected = (): void => endNow(attachment);
  browser.on('disconnected', onDisconnected);
  attachment.onDetach(() => {
    tap.leave(attachment);
    browser.off('disconnected', onDisconnected);
  });
  if (isPage(subject)) {
    coverPage(subject, pages, attachment);
    attachment.onDetach(() => {
      for (const stop of pages.values()) stop();
    });
  } else if (!isBrowser(subject)) attachment.onDetach(whenClosed(subject, () => endNow(attachment)));
  return attachment;
}

/** Each page that is covered by itself, with the function that removes its listeners. */
type CoveredPages = Map<PageLike, () => void>;

/**
 * Covers a page and the pages that it opens. An attachment to a single page ends with the last of these: otherwise it would
 * be asked about each new realm, for as long as the browser is there.
 */
function coverPage(page: PageLike, pages: CoveredPages, attachment: BidiAttachment): void {
  if (attachment.detached || pages.has(page)) return;
  const uncover = attachment.coverPopup(page);
  const onPopup = (popup: PageLike | null): void => {
    if (popup !== null) coverPage(popup, pages, attachment);
  };
  const stop = (): void => {
    uncover();
    page.off?.('close', onClosed);
    page.off?.('popup', onPopup);
    pages.delete(page);
  };
  const onClosed = (): void => {
    stop();
    if (pages.size === 0) endNow(attachment);
  };
  pages.set(page, stop);
  page.on?.('close', onClosed);
  page.on?.('popup', onPopup);
}

function coverageOfPages(pages: CoveredPages): ContextCoverage {
  return (id) => {
    if (id === undefined) return false;
    for (const page of pages.keys()) if (contextIdsOfPage(page).includes(id)) return true;
    return false;
  };
}

function endNow(attachment: BidiAttachment): void {
  attachment.endAll();
  attachment.detachForAll();
}

function coverageOf(subject: BrowserLike | BrowserContextLike): ContextCoverage {
  if (isBrowser(subject)) return () => true;
  if (browsingContextsOf(subject) === undefined) {
    throw new Error('attach: this BrowserContext does not tell its pages; attach to its Browser instead.');
  }
  return (id) => id !== undefined && includesContext(browsingContextsOf(subject) ?? [], id);
}
