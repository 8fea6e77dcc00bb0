/**
 * The few members of Playwright that are used, as versions 1.40 to 1.65 have them. Nothing is imported from Playwright:
 * whichever copy the script runs fits, and none is needed to install this package. Names that begin with an underscore
 * are private there; `seams.ts` checks each of them before anything is touched.
 *
 * Playwright has two halves. The client is what a script calls: a channel owner for each object, found by its guid. The
 * server drives the browser: a dispatcher for each object that the client knows. They exchange messages, in one process
 * mostly; behind `connect()` the server is in another.
 */
import type { Params } from '../../handles/protocol.ts';

/** An object of the client half: browsers, contexts, pages, frames, handles. */
export interface ChannelOwner {
  readonly _guid: string;
  readonly _type: string;
  readonly _parent?: ChannelOwner | undefined;
  readonly _connection: ClientConnection;
  /** Of a popup, the page that has opened it. */
  readonly _opener?: ChannelOwner | null | undefined;
  /** Its children, by guid. */
  readonly _objects: Map<string, ChannelOwner>;
  _dispose(reason?: string): void;
}

/** A handle of the client half. */
export interface HandleOwner extends ChannelOwner {
  dispose(): Promise<void>;
}

/** A message from the client half to the server half. */
export interface Call {
  readonly id?: unknown;
  readonly guid: string;
  readonly method: string;
  readonly params?: Params | undefined;
  readonly metadata?: { readonly location?: CallLocation | undefined } | undefined;
}

/** The line of the script that made a call. */
export interface CallLocation {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A message from the server half: an answer, which has the id of its call, or an event. */
export interface ServerMessage {
  readonly id?: unknown;
  readonly guid: string;
  readonly method: string;
  readonly params?: Params | undefined;
  readonly result?: unknown;
}

/** The client half's end of the messages. */
export interface ClientConnection {
  _objects: Map<string, ChannelOwner>;
  readonly _closedError?: unknown;
  /** How many traces are being recorded. */
  readonly _tracingCount?: number | undefined;
  dispatch(message: ServerMessage): void;
  onmessage(message: Call): unknown;
  sendMessageToServer(object: ChannelOwner, method: string, ...rest: unknown[]): Promise<unknown>;
  close(...args: unknown[]): unknown;
  /** The server half's object for one of the client half's; the root dispatcher for `undefined`. Only if both are in this process. */
  toImpl?(object: ChannelOwner | undefined): unknown;
}

/** The server half's counterpart to an object that the client half knows. */
export interface Dispatcher {
  readonly _object: unknown;
  _dispose(reason?: string): void;
}

/** A handle of the server half. */
export interface ServerHandle {
  /** A `HeldId` while attached, a string otherwise; `undefined` for a primitive. */
  _objectId?: unknown;
  dispose(): void;
}

/** The server half's browser, where it is a Chromium. */
export interface ServerBrowser {
  readonly _connection: CdpConnection;
  readonly _contexts: ReadonlyMap<string, unknown>;
  readonly _crPages: ReadonlyMap<string, ServerPage>;
  readonly _serviceWorkers?: ReadonlyMap<string, ServiceWorker> | undefined;
}

/** The server half's connection to a browser. */
export interface CdpConnection {
  readonly rootSession: CdpSession;
  readonly _sessions: ReadonlyMap<string, CdpSession>;
}

/** The server half's session with one target. */
export interface CdpSession {
  readonly _sessionId: string;
  readonly _parentSession?: CdpSession | null | undefined;
  /** Set in the sessions that the script made itself. */
  readonly _eventListener?: unknown;
  send(method: string, params?: Params): Promise<unknown>;
  emit(event: string | symbol, payload?: unknown, ...rest: unknown[]): boolean;
  createChildSession(sessionId: string, eventListener?: unknown): CdpSession;
  dispose(): void;
}

export interface ServerPage {
  readonly _browserContext: ServerContext;
  readonly _sessions: ReadonlyMap<string, { readonly _client: CdpSession }>;
  readonly _mainFrameSession: { readonly _client: CdpSession };
}

export interface ServerContext {
  readonly _browser: unknown;
  /** `undefined` for the default context. */
  readonly _browserContextId?: string | undefined;
}

interface ServiceWorker {
  readonly _session?: CdpSession | undefined;
  readonly browserContext?: ServerContext | undefined;
}

/** `Target.attachedToTarget`. */
export interface AttachedToTarget {
  readonly sessionId: string;
  readonly targetInfo: {
    readonly type: string;
    readonly targetId?: string | undefined;
    readonly openerId?: string | undefined;
    readonly browserContextId?: string | undefined;
  };
}

/** The public members by which a browser, context or page is recognised, in every version. */
export interface BrowserLike {
  contexts(): unknown[];
  newPage(...args: never[]): Promise<unknown>;
  newBrowserCDPSession(): Promise<unknown>;
}
export interface BrowserContextLike {
  pages(): unknown[];
  newPage(): Promise<unknown>;
  newCDPSession(...args: never[]): Promise<unknown>;
}
export interface PageLike {
  context(): BrowserContextLike;
  isClosed(): boolean;
  mainFrame(): unknown;
}
export type Subject = BrowserLike | BrowserContextLike | PageLike;

export function isBrowser(subject: unknown): subject is BrowserLike {
  return hasMethods(subject, 'contexts', 'newPage', 'newBrowserCDPSession');
}

export function isBrowserContext(subject: unknown): subject is BrowserContextLike {
  return hasMethods(subject, 'pages', 'newPage', 'newCDPSession');
}

export function isPage(subject: unknown): subject is PageLike {
  return hasMethods(subject, 'context', 'isClosed', 'mainFrame');
}

/** An object of the client half, the objects that contain it, and the pages that opened its page; the nearest first. */
export function* rootsOf(owner: ChannelOwner): Iterable<ChannelOwner> {
  for (let root: ChannelOwner | undefined = owner; root !== undefined; root = root._parent) {
    yield root;
    for (let opener = root._opener; opener; opener = opener._opener) yield opener;
  }
}

export function isHandleType(type: unknown): boolean {
  return type === 'JSHandle' || type === 'ElementHandle';
}

function hasMethods(subject: unknown, ...names: string[]): boolean {
  if (typeof subject !== 'object' || subject === null) return false;
  return names.every((name) => typeof Reflect.get(subject, name) === 'function');
}
