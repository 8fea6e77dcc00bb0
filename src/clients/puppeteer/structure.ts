/**
 * The few members of Puppeteer that are used, as versions 22 to 25 and their forks have them. Nothing is imported from
 * Puppeteer: any copy that the script runs fits, and this package can be installed without one. A member that is not public
 * in Puppeteer is optional here, and the code that needs it does without if it is missing.
 */
import type { Params } from '../../handles/protocol.ts';

/** Any function. Puppeteer's own types of listeners depend on the event, and differ from version to version. */
export type Listener = object;

export interface CdpSessionLike {
  send(method: string, params?: Params, options?: unknown): Promise<unknown>;
  emit(event: string | symbol, payload?: unknown): unknown;
  on?(event: string, listener: Listener): unknown;
  off?(event: string, listener?: Listener): unknown;
  connection(): ConnectionLike | undefined;
  id(): string;
  parentSession?(): CdpSessionLike | undefined;
  /** Not public. */
  target?(): TargetLike;
  /** The same in Puppeteer 22 and 23. */
  _target?(): TargetLike;
  detach?(): Promise<void>;
  readonly detached?: boolean;
  listenerCount?(event: string): number;
}

export interface ConnectionLike {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener?: Listener): unknown;
  session(sessionId: string): CdpSessionLike | null;
  send?(method: string, ...rest: unknown[]): Promise<unknown>;
  /** Makes a session that belongs to the program. */
  createSession?(target: { readonly targetId: string }): Promise<CdpSessionLike>;
  /** Not public. `false` while the script asks Puppeteer for a session with the target. */
  isAutoAttached?(targetId: string): boolean;
}

export interface TargetLike {
  type(): string;
  browserContext?(): BrowserContextLike;
  createCDPSession(): Promise<CdpSessionLike>;
  worker?(): Promise<{ readonly client: CdpSessionLike } | null>;
  /** Not public. */
  readonly _targetId?: string;
  /** Not public. Puppeteer's own session with the target. */
  _session?(): CdpSessionLike | undefined;
  /** Not public. There once the page has been asked for. */
  readonly pagePromise?: Promise<PageLike | null>;
}

export interface BrowserLike {
  readonly connected?: boolean;
  readonly protocol?: string;
  target(): TargetLike;
  targets(): TargetLike[];
  browserContexts(): BrowserContextLike[];
  newPage(): Promise<unknown>;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener?: Listener): unknown;
  /** Not public. Knows targets that `targets()` leaves out: tabs, prerendered pages. */
  _targetManager?(): { getAvailableTargets?(): ReadonlyMap<string, TargetLike> };
}

export interface BrowserContextLike {
  readonly id?: string | undefined;
  readonly closed?: boolean;
  browser(): BrowserLike | null;
  pages(): Promise<unknown[]>;
  newPage(): Promise<unknown>;
  close?(...args: never[]): Promise<unknown>;
}

export interface PageLike {
  browser(): BrowserLike;
  browserContext(): BrowserContextLike;
  isClosed(): boolean;
  createCDPSession(): Promise<CdpSessionLike>;
  frames(): FrameLike[];
  on?(event: string, listener: Listener): unknown;
  off?(event: string, listener?: Listener): unknown;
  mainFrame?(): unknown;
  /** Not public. The session of the main frame. */
  _client?(): CdpSessionLike;
}

export interface FrameLike {
  url(): string;
  /** Not public. The session of the frame: a frame of another site has its own. */
  readonly client?: CdpSessionLike;
  /** Not public. */
  mainRealm?(): RealmLike;
  /** Not public. The world of Puppeteer's utilities. */
  isolatedRealm?(): RealmLike;
}

interface RealmLike {
  readonly context?: { readonly id?: number };
}

/** `Target.attachedToTarget`. */
export interface AttachedToTarget {
  readonly sessionId: string;
  readonly targetInfo: {
    readonly targetId: string;
    readonly type: string;
    readonly browserContextId?: string;
    /** The target of the page that opened it, whether or not that page can be reached from it. A tab's event has none. */
    readonly openerId?: string;
  };
}

export type Subject = BrowserLike | BrowserContextLike | PageLike | CdpSessionLike;

export function isSession(subject: unknown): subject is CdpSessionLike {
  return hasMethods(subject, 'send', 'connection', 'id', 'emit');
}

export function isPage(subject: unknown): subject is PageLike {
  return hasMethods(subject, 'frames', 'browserContext', 'createCDPSession', 'isClosed');
}

export function isBrowser(subject: unknown): subject is BrowserLike {
  return hasMethods(subject, 'browserContexts', 'targets', 'newPage', 'target');
}

export function isBrowserContext(subject: unknown): subject is BrowserContextLike {
  return hasMethods(subject, 'browser', 'pages', 'newPage');
}

function hasMethods(subject: unknown, ...names: string[]): boolean {
  if (typeof subject !== 'object' || subject === null) return false;
  return names.every((name) => typeof (subject as Record<string, unknown>)[name] === 'function');
}
