/**
 * Looks for the private names of Playwright that this folder needs, before anything is touched. If one is missing nothing is
 * hooked, and the error says which name, and in which version.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  CdpConnection,
  ChannelOwner,
  ClientConnection,
  Dispatcher,
  ServerBrowser,
  ServerContext,
  ServerPage,
  Subject,
} from './structure.ts';

/** The parts of the server half that are used, if it is in this process. */
export interface ServerHalf {
  readonly browser: ServerBrowser;
  /** The dispatchers of the objects that the client half knows, by guid. */
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
}

export interface Seams {
  readonly owner: ChannelOwner;
  readonly connection: ClientConnection;
  /** `undefined` behind `connect()`. */
  readonly server: ServerHalf | undefined;
}

/**
 * @returns `undefined` for a browser that speaks no CDP: Firefox, WebKit.
 * @throws Error that names the member that is missing.
 */
export function seamsOf(subject: Subject): Seams | undefined {
  return namingVersionOf(subject, () => findSeams(subject));
}

function findSeams(owner: unknown): Seams | undefined {
  require(owner, 'the object given', isText, '_guid', '_type');
  require(owner, 'the object given', isMap, '_objects');
  const connection = get(owner, '_connection');
  require(connection, '_connection', isMap, '_objects');
  require(connection, '_connection', isMethod, 'dispatch', 'onmessage', 'sendMessageToServer', 'close');
  const client = { owner: owner as ChannelOwner, connection: connection as ClientConnection };
  if (client.connection.toImpl === undefined) {
    return isChromiumByName(client.owner) ? { ...client, server: undefined } : undefined;
  }
  const object = serverObjectOf(client.connection, client.owner);
  const browser = serverBrowserOf(client.owner, object);
  if (!speaksCdp(browser)) return undefined;
  return { ...client, server: serverHalfOf(client, browser) };
}

/** The server half's object behind one of the client half's. */
export function serverObjectOf(connection: ClientConnection, owner: ChannelOwner | undefined): unknown {
  try {
    return connection.toImpl?.(owner);
  } catch {
    throw new MissingMember('_connection.toImpl');
  }
}

/** The part of the server half that drives a page of a Chromium. */
export function serverPageOf({ connection, owner }: Seams): ServerPage {
  return namingVersionOf(owner, () => {
    const page = serverObjectOf(connection, owner);
    const delegate = get(page, 'delegate') ?? get(page, '_delegate');
    require(delegate, 'delegate', isMap, '_sessions');
    require(delegate, 'delegate', isObject, '_mainFrameSession', '_browserContext');
    require(get(delegate, '_mainFrameSession'), '_mainFrameSession', isObject, '_client');
    return delegate as ServerPage;
  });
}

function serverHalfOf(client: Pick<Seams, 'owner' | 'connection'>, browser: object): ServerHalf {
  const root = serverObjectOf(client.connection, undefined);
  const dispatcherConnection = get(root, 'connection') ?? get(root, '_connection');
  const dispatchers =
    get(dispatcherConnection, '_dispatcherByGuid') ?? get(dispatcherConnection, '_dispatchers');
  if (!isMap(dispatchers)) throw new MissingMember('connection._dispatcherByGuid');
  const dispatcher: unknown = dispatchers.get(client.owner._guid);
  require(dispatcher, 'a dispatcher', isMethod, '_dispose');
  require(dispatcher, 'a dispatcher', isObject, '_object');

  require(browser, "the server's browser", isMap, '_contexts', '_crPages');
  const connection = get(browser, '_connection');
  require(connection, "the server's _connection", isMap, '_sessions');
  const session = (connection as CdpConnection).rootSession as unknown;
  require(session, 'rootSession', isMethod, 'send', 'emit', 'createChildSession', 'dispose');
  require(session, 'rootSession', isText, '_sessionId');
  return {
    browser: browser as ServerBrowser,
    dispatchers: dispatchers as ReadonlyMap<unknown, unknown> as ReadonlyMap<string, Dispatcher>,
  };
}

/** The server half's browser: of a page by its context, of a context by itself. */
function serverBrowserOf(owner: ChannelOwner, object: unknown): object {
  let browser = object;
  if (owner._type === 'Page') {
    const context = get(object, 'browserContext') ?? get(object, '_browserContext');
    browser = get(context, '_browser');
  } else if (owner._type === 'BrowserContext') {
    browser = (object as ServerContext | undefined)?._browser;
  }
  if (!isObject(browser)) throw new MissingMember('_browser');
  return browser;
}

function speaksCdp(browser: object): boolean {
  const name = get(get(browser, 'options'), 'name');
  return name !== 'firefox' && name !== 'webkit' && get(browser, '_bidiPages') === undefined;
}

/** Whether the browser is a Chromium, by the client half's own word: the server half is in another process. */
function isChromiumByName(owner: ChannelOwner): boolean {
  for (let current: ChannelOwner | undefined = owner; current !== undefined; current = current._parent) {
    const name = current._type === 'BrowserType' ? get(get(current, '_initializer'), 'name') : undefined;
    if (name !== undefined) return name === 'chromium';
  }
  return true;
}

function require(
  subject: unknown,
  label: string,
  fits: (value: unknown) => boolean,
  ...members: readonly string[]
): void {
  if (!isObject(subject)) throw new MissingMember(label);
  for (const member of members) {
    if (!fits(get(subject, member))) throw new MissingMember(`${member} of ${label}`);
  }
}

/** A private name that is not as expected. */
class MissingMember extends Error {}

/** Runs a search for private names. If one is missing, the error says in which version of Playwright. */
function namingVersionOf<T>(owner: unknown, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof MissingMember)) throw error;
    throw new Error(
      `attach: Playwright ${versionOf(owner) ?? 'of an unknown version'} has no ${error.message} as 1.40 to 1.65 have it. ` +
        'Its browsers, contexts and pages cannot be attached to; a CDPSession still can.',
    );
  }
}

/** Playwright's version. Calls its functions without `this` and arguments: the stack of their error names a file of its package. */
function versionOf(holder: unknown): string | undefined {
  for (const name of ['dispatch', 'toImpl', '_dispose', '_createRemoteObject', 'emit', 'on']) {
    const method = get(holder, name) ?? get(get(holder, '_connection'), name);
    if (typeof method !== 'function') continue;
    try {
      Reflect.apply(method, undefined, []);
    } catch (error) {
      const file = FILE_OF_PLAYWRIGHT.exec(String(get(error, 'stack')))?.[1];
      const version = file === undefined ? undefined : versionOfPackage(file);
      if (version !== undefined) return version;
    }
  }
  return undefined;
}

const FILE_OF_PLAYWRIGHT = /((?:file:\/\/)?[^\s(]*?playwright[^\s(]*?\.m?js):\d+/;

function versionOfPackage(file: string): string | undefined {
  try {
    let folder = dirname(file.startsWith('file:') ? fileURLToPath(file) : file);
    while (!existsSync(join(folder, 'package.json'))) {
      if (dirname(folder) === folder) return undefined;
      folder = dirname(folder);
    }
    const version: unknown = get(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), 'version');
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined; // The version is only for the message.
  }
}

function get(subject: unknown, name: string): unknown {
  return isObject(subject) || typeof subject === 'function'
    ? Reflect.get(subject as object, name)
    : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isMap(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map;
}

function isMethod(value: unknown): boolean {
  return typeof value === 'function';
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
