/**
 * The few members that are used of a Puppeteer that speaks WebDriver BiDi, as versions 22 to 25 have them. None of them is
 * public. Code that needs a missing one says so, or does without.
 */

/** The one connection of a browser. It carries the one session of the protocol. */
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

/** The target of a command of the `script` module: the present page of a browsing context, or a realm by its id. */
export type ScriptTarget =
  | { readonly context: string; readonly sandbox?: string | undefined }
  | { readonly realm: string };

/** The connection of a browser that is driven over WebDriver BiDi; `undefined` for any other. */
export function bidiConnectionOf(browser: unknown): BidiConnectionLike | undefined {
  const { protocol, connection } = (browser ?? {}) as { protocol?: unknown; connection?: unknown };
  if (protocol !== 'webDriverBiDi') return undefined;
  const { send, emit } = (connection ?? {}) as Partial<BidiConnectionLike>;
  return typeof send === 'function' && typeof emit === 'function'
    ? (connection as BidiConnectionLike)
    : undefined;
}

/** The present browsing contexts of a page, including those of its frames. */
export function contextIdsOfPage(page: { frames(): readonly object[] }): (string | undefined)[] {
  return page.frames().map((frame) => (frame as { readonly _id?: string })._id);
}

/** The present browsing contexts of a browser context; `undefined` if it does not list them. */
export function browsingContextsOf(browserContext: object): Iterable<BrowsingContextLike> | undefined {
  const { userContext } = browserContext as {
    readonly userContext?: { readonly browsingContexts?: Iterable<BrowsingContextLike> };
  };
  return userContext?.browsingContexts;
}

/** Whether one of these contexts, or a frame in one of them, has the id. */
export function includesContext(contexts: Iterable<BrowsingContextLike>, id: string): boolean {
  for (const context of contexts) {
    if (context.id === id || includesContext(context.children ?? [], id)) return true;
  }
  return false;
}

/** A target of the protocol; `undefined` for a value of another form. */
export function scriptTargetOf(params: unknown): ScriptTarget | undefined {
  const { target } = (params ?? {}) as { target?: { context?: unknown; realm?: unknown } | null };
  if (typeof target?.realm === 'string') return { realm: target.realm };
  return typeof target?.context === 'string' ? (target as ScriptTarget) : undefined;
}

/** Equal for equal targets. */
export function keyOfTarget(target: ScriptTarget): string {
  return 'realm' in target ? `realm ${target.realm}` : `context ${target.context} ${target.sandbox ?? ''}`;
}
