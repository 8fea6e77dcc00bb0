/**
 * The few members that are used of a Puppeteer which speaks WebDriver BiDi, as versions 22 to 25 have them.
 * None of them is public there; where one is missing, what leans on it says so or is done without.
 */

/** The one connection of a browser, and with it the one session of the protocol. */
export interface BidiConnectionLike {
  send(method: string, params?: unknown, ...rest: unknown[]): Promise<unknown>;
  emit(event: string, ...payload: unknown[]): unknown;
  readonly closed?: boolean;
}

/** A tab, a window or a frame, below Puppeteer's own objects for them. */
export interface BrowsingContextLike {
  readonly id: string;
  readonly children?: Iterable<BrowsingContextLike>;
}

/** Whom a command of the `script` module is for: the page of a browsing context at the time, or a realm by its id. */
export type ScriptTarget =
  | { readonly context: string; readonly sandbox?: string | undefined }
  | { readonly realm: string };

/** The connection of a browser that is driven over WebDriver BiDi; `undefined` of any other. */
export function bidiConnectionOf(browser: unknown): BidiConnectionLike | undefined {
  const { protocol, connection } = (browser ?? {}) as { protocol?: unknown; connection?: unknown };
  if (protocol !== 'webDriverBiDi') return undefined;
  const { send, emit } = (connection ?? {}) as Partial<BidiConnectionLike>;
  return typeof send === 'function' && typeof emit === 'function'
    ? (connection as BidiConnectionLike)
    : undefined;
}

/** The browsing contexts of a page, its frames' included, as of now. */
export function contextIdsOfPage(page: { frames(): readonly object[] }): (string | undefined)[] {
  return page.frames().map((frame) => (frame as { readonly _id?: string })._id);
}

/** The browsing contexts of a browser context as of now; `undefined` where it cannot tell. */
export function browsingContextsOf(browserContext: object): Iterable<BrowsingContextLike> | undefined {
  const { userContext } = browserContext as {
    readonly userContext?: { readonly browsingContexts?: Iterable<BrowsingContextLike> };
  };
  return userContext?.browsingContexts;
}

/** Whether one of them, or a frame somewhere in one of them, has the id. */
export function includesContext(contexts: Iterable<BrowsingContextLike>, id: string): boolean {
  for (const context of contexts) {
    if (context.id === id || includesContext(context.children ?? [], id)) return true;
  }
  return false;
}

/** A target of the protocol's; `undefined` for what has not the form of one. */
export function scriptTargetOf(params: unknown): ScriptTarget | undefined {
  const { target } = (params ?? {}) as { target?: { context?: unknown; realm?: unknown } | null };
  if (typeof target?.realm === 'string') return { realm: target.realm };
  return typeof target?.context === 'string' ? (target as ScriptTarget) : undefined;
}

/** Equal for targets that are the same. */
export function keyOfTarget(target: ScriptTarget): string {
  return 'realm' in target ? `realm ${target.realm}` : `context ${target.context} ${target.sandbox ?? ''}`;
}
