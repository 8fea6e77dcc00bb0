// A Chromium driven by Playwright, and an attachment to it that is held to what every test is owed: the books balance,
// and `detach` leaves both halves of Playwright as they were found, down to the maps that hold their objects.
import { type Browser, type CDPSession, chromium, type LaunchOptions, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { attach, type PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import type {
  CdpSession,
  ChannelOwner,
  ServerBrowser,
  ServerPage,
  Subject,
} from '../../src/clients/playwright/structure.ts';
import type { AttachOptions } from '../../src/handles/attach-options.ts';
import { LISTING_SURVIVORS } from '../../src/handles/survivors.ts';
import { chromiumLaunchOptions } from './chromium.ts';
import { expectAtRest, expectConserved } from './conservation.ts';
import { launched } from './launched.ts';

/** How Playwright launches the Chromium of all tests. */
export async function playwrightLaunchOptions(): Promise<LaunchOptions> {
  const { executablePath, args, env } = await chromiumLaunchOptions();
  return { executablePath, args, ...(env === undefined ? {} : { env: env as Record<string, string> }) };
}

/** Closed when the test file is done. */
export async function launchByPlaywright(options: LaunchOptions = {}): Promise<Browser> {
  const base = await playwrightLaunchOptions();
  const args = [...(base.args ?? []), ...(options.args ?? [])];
  const browser = await chromium.launch({ ...base, ...options, args });
  launched.add(browser);
  return browser;
}

/** A page in a context of its own, closed when the running test is over. */
export async function openPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
}

/** A page with two elements in it, and an attachment to its browser; both for the running test. */
export async function openAttached(
  browser: Browser,
): Promise<{ readonly page: Page; readonly releases: PlaywrightAttachment }> {
  const releases = attachedPlaywright(browser, browser);
  const page = await openPage(browser);
  await page.setContent('<b>1</b><b>2</b>');
  return { page, releases };
}

/** The client half's own view of one of its objects. */
function ownerOf(subject: object): ChannelOwner {
  return subject as ChannelOwner;
}

/** The server half's view of a browser. */
function serverBrowserOf(browser: Browser): ServerBrowser {
  return ownerOf(browser)._connection.toImpl?.(ownerOf(browser)) as ServerBrowser;
}

/** The session by which the server half drives a page. */
export function sessionBehind(page: Page): CdpSession {
  const { _connection: connection } = ownerOf(page);
  const server = connection.toImpl?.(ownerOf(page)) as {
    readonly delegate?: ServerPage;
    readonly _delegate?: ServerPage;
  };
  const { _mainFrameSession: main } = (server.delegate ?? server._delegate) as ServerPage;
  return main._client;
}

/** Attaches as `attach` does, and checks what is owed when the running test is over. */
export function attachedPlaywright(
  subject: Subject,
  browser: Browser,
  options: AttachOptions = {},
): PlaywrightAttachment {
  const found = new Belongings(browser);
  const releases = attach(subject, options);
  onTestFinished(async () => {
    expectConserved(releases.stats());
    await expect
      .poll(async () => {
        await releases.flush();
        const { queued, inFlight } = releases.stats();
        return queued + inFlight;
      })
      .toBe(0);
    expectAtRest(releases.stats());
    releases.detach();
    found.expectAsFound();
  });
  return releases;
}

type Own = readonly (readonly [PropertyKey, unknown])[];

/** What an attachment may touch: the connection, its objects, the browser's sessions. Those made later are looked at, too. */
class Belongings {
  readonly #browser: Browser;
  readonly #connection: ChannelOwner['_connection'];
  readonly #map: Map<string, ChannelOwner>;
  readonly #connectionKeys: Own;
  readonly #sessionKeys: readonly PropertyKey[];

  constructor(browser: Browser) {
    this.#browser = browser;
    this.#connection = ownerOf(browser)._connection;
    this.#map = this.#connection._objects;
    this.#connectionKeys = functionsOf(this.#connection);
    this.#sessionKeys = Reflect.ownKeys(serverBrowserOf(browser)._connection.rootSession);
  }

  expectAsFound(): void {
    expect(functionsOf(this.#connection), 'own properties of the connection').toEqual(this.#connectionKeys);
    expect(this.#connection._objects === this.#map, 'the map of all objects').toBe(true);
    expect(Object.getPrototypeOf(this.#connection._objects) === Map.prototype).toBe(true);
    for (const owner of this.#map.values()) {
      expect(owner._parent?._objects.get(owner._guid) ?? owner, 'its parent has it').toBe(owner);
      for (const child of owner._objects.values()) expect(this.#map.get(child._guid)).toBe(child);
    }
    for (const session of this.#sessions()) {
      expect(Reflect.ownKeys(session), 'own properties of a session').toEqual(this.#sessionKeys);
    }
  }

  #sessions(): Iterable<CdpSession> {
    return serverBrowserOf(this.#browser)._connection._sessions.values();
  }
}

function functionsOf(object: object): Own {
  return Reflect.ownKeys(object).map((key) => {
    const { value, ...flags } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    return [key, typeof value === 'function' ? { ...flags, value } : flags] as const;
  });
}

/** Alive, by the row of the census in which they were made. */
export type Alive = Readonly<Record<string, number>>;

/**
 * Counts the ids that the browser still knows: each that comes over the wire is noted as a string, by session, and the
 * browser itself is asked, past whatever is hooked.
 */
export class WireIds {
  readonly #browser: ServerBrowser;
  /** The row and the session of each id. */
  readonly #ids = new Map<string, { readonly row: string; readonly sessionId: string }>();
  readonly #moves = new WireMoves();
  #row: string | undefined;

  constructor(browser: Browser) {
    this.#browser = serverBrowserOf(browser);
    const { _transport: transport } = this.#browser._connection as unknown as {
      readonly _transport: {
        send: (message: WireMessage) => unknown;
        onmessage: (message: WireMessage) => unknown;
      };
    };
    const { send, onmessage } = transport;
    transport.send = (message) => {
      this.#moves.noteSent(message);
      return send.call(transport, message);
    };
    transport.onmessage = (message) => {
      this.#noteReceived(message);
      return onmessage.call(transport, message);
    };
  }

  /** What comes from now on counts for this row; for none, nothing is noted. */
  begin(row: string | undefined): void {
    this.#row = row;
  }

  async alive(): Promise<Alive> {
    const alive: Record<string, number> = {};
    await Promise.all(
      [...this.#ids].map(async ([key, { row, sessionId }]) => {
        const session = this.#browser._connection._sessions.get(sessionId);
        const objectId = key.slice(sessionId.length);
        if (session !== undefined && (await isKnown(session, objectId))) alive[row] = (alive[row] ?? 0) + 1;
        else this.#ids.delete(key);
      }),
    );
    return alive;
  }

  #noteReceived(message: WireMessage): void {
    const { sessionId = '' } = message;
    const movedTo = this.#moves.takeMoved(message);
    if (movedTo === undefined) {
      if (this.#row !== undefined) this.#note(message, this.#row, sessionId);
      return;
    }
    for (const [formerId, newId] of movedTo) {
      const noted = this.#ids.get(sessionId + formerId);
      if (noted !== undefined) this.#ids.set(sessionId + newId, noted);
    }
  }

  #note(value: unknown, row: string, sessionId: string): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name !== 'objectId' || typeof member !== 'string') this.#note(member, row, sessionId);
      else if (!this.#ids.has(sessionId + member)) this.#ids.set(sessionId + member, { row, sessionId });
    }
  }
}

/**
 * The library's moves of survivors, as they are seen on the wire: a call makes a list of them, and a second command lists
 * their new ids. A new id is no new object: it counts where the former one did, and for something that Playwright keeps
 * for good, nowhere.
 */
class WireMoves {
  /** By session and number of a command that is not answered yet, the ids that it moves. */
  readonly #asked = new Map<string, readonly string[]>();
  /** By session and id of a list, the former ids of what is in it. */
  readonly #lists = new Map<string, readonly string[]>();

  noteSent({ id, method, params = {}, sessionId = '' }: WireMessage): void {
    let moved: readonly string[] | undefined;
    if (method === 'Runtime.getProperties') moved = this.#lists.get(sessionId + params.objectId);
    else if (params.functionDeclaration === LISTING_SURVIVORS) {
      moved = params.arguments?.map(({ objectId }) => objectId);
    }
    if (moved !== undefined) this.#asked.set(sessionId + id, moved);
  }

  /** The new id of each former one, if the message tells of new ids. The id of the list itself is like any other. */
  takeMoved({ id, result, sessionId = '' }: WireMessage): [formerId: string, newId: string][] | undefined {
    const moved = this.#asked.get(sessionId + id);
    if (moved === undefined || result?.result === undefined) return undefined;
    this.#asked.delete(sessionId + id);
    if (!Array.isArray(result.result)) {
      this.#lists.set(sessionId + result.result.objectId, moved);
      return undefined;
    }
    return result.result.flatMap(({ name, value }) => {
      const formerId = moved[Number(name)];
      return formerId === undefined || value?.objectId === undefined ? [] : [[formerId, value.objectId]];
    });
  }
}

function isKnown(session: CdpSession, objectId: string): Promise<boolean> {
  const { send } = Object.getPrototypeOf(session) as CdpSession;
  return send
    .call(session, 'Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: 'function () {}',
      returnByValue: true,
    })
    .then(
      () => true,
      () => false,
    );
}

/** Of the messages on the wire, what is read here. */
interface WireMessage {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: {
    readonly objectId?: string;
    readonly functionDeclaration?: string;
    readonly arguments?: readonly { readonly objectId: string }[];
  };
  readonly result?: {
    readonly result?:
      | { readonly objectId?: string }
      | { readonly name: string; readonly value?: { readonly objectId?: string } }[];
  };
}

/** A page's census of the objects that `mk()` and `row()` made there, by a session of its own that mints nothing. */
export class PlaywrightCensus {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async open(page: Page): Promise<PlaywrightCensus> {
    const census = new PlaywrightCensus(await page.context().newCDPSession(page));
    await census.#session.send('Page.enable');
    await census.#session.send('Page.addScriptToEvaluateOnNewDocument', { source: INSTALL });
    await census.#run(INSTALL);
    return census;
  }

  /** How many are alive once two collections in a row have left the same number. */
  async alive(): Promise<Alive> {
    for (let previous = ''; ; ) {
      await this.#session.send('HeapProfiler.collectGarbage');
      const alive = await this.#run('JSON.stringify(census())');
      if (alive === previous) return JSON.parse(alive) as Alive;
      previous = alive;
    }
  }

  /** What is made from now on counts for this row. */
  async begin(row: string): Promise<void> {
    await this.#run(`clean(), (globalThis.row = ${JSON.stringify(row)})`);
  }

  async #run(expression: string): Promise<string> {
    const { result } = await this.#session.send('Runtime.evaluate', { expression, returnByValue: true });
    return result.value;
  }
}

const INSTALL = `
  globalThis.counted ??= [];
  globalThis.row = '';
  globalThis.note = (object) => { counted.push({ row, ref: new WeakRef(object) }); return object; };
  globalThis.census = () => {
    const alive = {};
    for (const { row, ref } of counted) if (row && ref.deref()) alive[row] = (alive[row] ?? 0) + 1;
    return alive;
  };
  globalThis.mk = () => note({ big: new Array(200).fill(1.5) });
  globalThis.put = (html) => {
    const element = document.createElement('div');
    element.className = 'row';
    element.innerHTML = html ?? 'x';
    note(element);
    for (const child of element.children) note(child);
    document.body.append(element);
  };
  globalThis.clean = () => {
    document.activeElement?.blur?.();
    document.body.textContent = '';
  };
  void 0;
`;

declare global {
  /** Inside a page with a census: notes an object. */
  function note<T extends object>(object: T): T;
  /** Inside a page with a census: a row of markup, noted with its children. */
  function put(html?: string): void;
  /** Inside a page with a census: takes all rows away. */
  function clean(): void;
}
