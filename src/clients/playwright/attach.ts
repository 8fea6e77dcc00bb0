/**
 * `attach` for Playwright. Checks what it is given, finds the attachment that covers it already, or makes one.
 *
 * Invariant: a browser, and each of its parts, has one attachment at a time, whoever asks for it.
 */

import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import { describeGiven } from '../given.ts';
import type { SessionAttachment } from '../session-attachment.ts';
import { Notes } from '../session-ownership.ts';
import { attachToSession, isCdpSession, type PlaywrightSession } from './cdp-session.ts';
import { type Coverage, PlaywrightAttachment } from './playwright-attachment.ts';
import { type Seams, type ServerHalf, seamsOf, serverObjectOf, serverPageOf } from './seams.ts';
import type { SessionFacts } from './server-sessions.ts';
import {
  type ChannelOwner,
  isBrowser,
  isBrowserContext,
  isPage,
  rootsOf,
  type ServerContext,
  type Subject,
} from './structure.ts';

const attachments = new Notes<PlaywrightAttachment>('playwright-attachment');

/**
 * From now on remote objects that the script no longer references are released automatically, in this browser, context or
 * page, and in all that it opens. Attaching again gives the same attachment; so does attaching to a part of what is attached
 * already. It is detached as what it was made for closes.
 *
 * Of a `CDPSession` you may hold ids as strings: there only your own releases are taken over, unless `track` is `true`.
 *
 * @example
 * ```ts
 * const browser = await chromium.launch();
 * using releases = attach(browser);
 * ```
 * @param subject a `Browser`, `BrowserContext`, `Page` or `CDPSession` of Playwright's.
 * Behind `connect()` the browser is driven by another process: there only the handles that the script itself was given are
 * covered, each by its own `dispose()`.
 *
 * @throws TypeError if it is none of these; Error for Firefox and WebKit, and for a Playwright whose inside is not as expected;
 * TypeError or RangeError for a bad option.
 */
export function attach(subject: PlaywrightSession, options?: AttachOptions): SessionAttachment;
export function attach(subject: Subject, options?: AttachOptions): PlaywrightAttachment;
export function attach(
  subject: Subject | PlaywrightSession,
  options: AttachOptions = {},
): PlaywrightAttachment | SessionAttachment {
  if (isBrowser(subject) || isBrowserContext(subject) || isPage(subject)) {
    return attachToPart(subject, options);
  }
  if (isCdpSession(subject)) return attachToSession(subject, options);
  throw new TypeError(
    `attach: expected Playwright's Browser, BrowserContext, Page or CDPSession, got ${describeGiven(subject)}`,
  );
}

function attachToPart(subject: Subject, options: AttachOptions): PlaywrightAttachment {
  const attachment = attachIfChromium(subject, options);
  if (attachment === undefined) {
    throw new Error(
      'attach: expected a Chromium; Firefox and WebKit do not speak the DevTools protocol, and cannot be attached to.',
    );
  }
  return attachment;
}

/** @returns `undefined` for Firefox and WebKit, which are left as they are. */
export function attachIfChromium(subject: Subject, options: AttachOptions): PlaywrightAttachment | undefined {
  const resolved = resolveAttachOptions(options);
  const seams = seamsOf(subject);
  if (seams === undefined) return undefined;
  const known = attachmentCovering(seams.owner);
  if (known !== undefined) return known.hold(options);
  const coverage = seams.server && coverageOf(seams, seams.server);
  const attachment = new PlaywrightAttachment(resolved);
  if (attachment.detached) return attachment; // Its signal had fired.
  attachments.set(seams.owner, attachment);
  attachment.onDetach(() => attachments.delete(seams.owner, attachment));
  if (seams.server === undefined || coverage === undefined) attachment.beginDistant(seams);
  else attachment.begin(seams, seams.server, coverage);
  return attachment;
}

/** Which of an attachment's sessions belong to a part of what it covers. @internal */
export function coverageWithin(subject: Subject): Coverage {
  const seams = seamsOf(subject);
  return seams?.server === undefined ? () => true : coverageOf(seams, seams.server);
}

/** The attachment made for an object, or for one that contains it. */
function attachmentCovering(owner: ChannelOwner): PlaywrightAttachment | undefined {
  for (const root of rootsOf(owner)) {
    const attachment = attachments.get(root);
    if (attachment?.detached === false) return attachment;
  }
  return undefined;
}

function coverageOf(seams: Seams, { browser }: ServerHalf): Coverage {
  switch (seams.owner._type) {
    case 'Page': {
      const main = serverPageOf(seams)._mainFrameSession._client;
      return (facts) => comesBy(facts, ({ session }) => session === main);
    }
    case 'BrowserContext': {
      const context = serverObjectOf(seams.connection, seams.owner) as ServerContext;
      const { _browserContextId: id } = context;
      // The default context has no id. Its sessions have no context id, or that of a context that the server does not know.
      const isOurs = ({ contextId }: SessionFacts): boolean =>
        id === undefined ? contextId === undefined || !browser._contexts.has(contextId) : contextId === id;
      return (facts) => comesBy(facts, isOurs);
    }
    default:
      return () => true;
  }
}

/** Whether something holds for a session, or for one that it comes from: a frame's page, a popup's opener. */
function comesBy(facts: SessionFacts, holds: (facts: SessionFacts) => boolean): boolean {
  for (let current: SessionFacts | undefined = facts; current !== undefined; ) {
    if (holds(current)) return true;
    current = current.parent ?? current.opener;
  }
  return false;
}
