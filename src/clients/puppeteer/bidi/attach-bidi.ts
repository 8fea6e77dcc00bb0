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

/** @throws Error for a browser context that does not tell its pages. */
export function attachOverBidi(
  subject: BrowserLike | BrowserContextLike | PageLike,
  browser: BrowserLike,
  connection: BidiConnectionLike,
  options: ResolvedAttachOptions,
): BidiAttachment {
  const coverage = coverageOf(subject);
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
  if (isPage(subject)) endWith(subject, attachment);
  else if (!isBrowser(subject)) attachment.onDetach(whenClosed(subject, () => endNow(attachment)));
  return attachment;
}

/** What is attached to a page by itself would be asked about each realm to come, for as long as the browser is there. */
function endWith(page: PageLike, attachment: BidiAttachment): void {
  const onClosed = (): void => endNow(attachment);
  page.on?.('close', onClosed);
  attachment.onDetach(() => page.off?.('close', onClosed));
}

function endNow(attachment: BidiAttachment): void {
  attachment.endAll();
  attachment.detach();
}

function coverageOf(subject: BrowserLike | BrowserContextLike | PageLike): ContextCoverage {
  if (isPage(subject)) return (id) => id !== undefined && contextIdsOfPage(subject).includes(id);
  if (isBrowser(subject)) return () => true;
  if (browsingContextsOf(subject) === undefined) {
    throw new Error('attach: this BrowserContext does not tell its pages; attach to its Browser instead.');
  }
  return (id) => id !== undefined && includesContext(browsingContextsOf(subject) ?? [], id);
}
