// Attaches for the length of one test, and when the test is over holds the library to what it owes every test: the
// books balance, nothing is on its way any more, and `detach` leaves each object of Puppeteer's as it was found.
import { expect, onTestFinished } from 'vitest';
import {
  type AttachmentStats,
  type AttachOptions,
  attach,
  type PuppeteerAttachment,
} from '../../src/clients/puppeteer/index.ts';
import type {
  BrowserContextLike,
  BrowserLike,
  CdpSessionLike,
  ConnectionLike,
  PageLike,
  Subject,
  TargetLike,
} from '../../src/clients/puppeteer/structure.ts';
import { isBrowser, isPage, isSession } from '../../src/clients/puppeteer/structure.ts';
import { expectAtRest, expectConserved } from './conservation.ts';

/** Attaches as `attach` does, and checks what is owed when the running test is over. */
export function attached(subject: Subject, options: AttachOptions = {}): PuppeteerAttachment {
  const found = new Belongings(subject);
  const releases = attach(subject, options);
  onTestFinished(async () => {
    try {
      await expectNothingOwed(releases);
    } finally {
      releases.detach(); // Whatever was found wrong: the next test has an attachment of its own.
    }
    found.expectAsFound();
  });
  return releases;
}

async function expectNothingOwed(releases: PuppeteerAttachment): Promise<void> {
  expectConserved(releases.stats());
  const deadline = performance.now() + 60_000;
  do {
    const report = await releases.flush({ timeoutMs: 60_000 });
    expect(report, 'everything that was dropped has been answered').toMatchObject({ complete: true });
    // A collection may come in between, and drop some more.
  } while (!isAtRest(releases.stats()) && performance.now() < deadline);
  expectAtRest(releases.stats());
}

const isAtRest = (stats: AttachmentStats): boolean => stats.queued + stats.inFlight === 0;

/** The session that Puppeteer itself uses for a page; not public. */
export function sessionOf(page: PageLike): CdpSessionLike {
  const session = page._client?.();
  if (session === undefined) throw new Error('this page has no session');
  return session;
}

/** The connection that a subject's sessions share. */
export function connectionOf(subject: Subject): ConnectionLike {
  const connection = isSession(subject)
    ? subject.connection()
    : isPage(subject)
      ? sessionOf(subject).connection()
      : targetsOf(browserOf(subject))
          .map((target) => target._session?.()?.connection())
          .find((candidate) => candidate !== undefined);
  if (connection === undefined) throw new Error('no connection behind this');
  return connection;
}

function browserOf(subject: BrowserLike | BrowserContextLike): BrowserLike {
  const browser = isBrowser(subject) ? subject : subject.browser();
  if (browser === null) throw new Error('this context has no browser');
  return browser;
}

function targetsOf(browser: BrowserLike): TargetLike[] {
  return [...(browser._targetManager?.().getAvailableTargets?.().values() ?? [])];
}

interface Emitter {
  on(event: string, listener: (payload: never) => void): unknown;
  off(event: string, listener: (payload: never) => void): unknown;
  listenerCount(event: string): number;
}

/** Own properties of Puppeteer's sessions, targets and connection as they are found, those made later included. */
class Belongings {
  readonly #found = new Map<object, ReadonlyMap<PropertyKey, unknown>>();
  readonly #listeners: (readonly [Emitter, string, number])[] = [];
  readonly #stop: () => void;

  constructor(subject: Subject) {
    const connection = connectionOf(subject) as ConnectionLike & Emitter;
    const browser = isSession(subject) ? undefined : browserOf(isPage(subject) ? subject.browser() : subject);
    const note = (object: object | undefined): void => {
      if (object !== undefined && !this.#found.has(object)) this.#found.set(object, ownProperties(object));
    };
    const noteTarget = (target: TargetLike): void => {
      note(target);
      note(target._session?.());
    };
    note(connection);
    note(subject);
    if (browser !== undefined) {
      note(browser);
      for (const target of [...targetsOf(browser), ...browser.targets()]) noteTarget(target);
      browser.on('targetcreated', noteTarget);
    }
    connection.on('sessionattached', note);
    this.#stop = () => {
      connection.off('sessionattached', note);
      browser?.off('targetcreated', noteTarget);
    };
    for (const event of ['Target.attachedToTarget', 'sessiondetached', 'sessionattached']) {
      this.#listeners.push([connection, event, connection.listenerCount(event)]);
    }
    if (browser !== undefined) {
      const emitter = browser as BrowserLike & Emitter;
      for (const event of ['targetcreated', 'targetdestroyed']) {
        this.#listeners.push([emitter, event, emitter.listenerCount(event)]);
      }
    }
  }

  expectAsFound(): void {
    for (const [object, before] of this.#found) {
      const now = ownProperties(object);
      expect([...now.keys()], `own properties of a ${object.constructor.name}`).toEqual([...before.keys()]);
      for (const [name, value] of before) {
        if (typeof value === 'function') expect(now.get(name), String(name)).toBe(value);
      }
    }
    for (const [emitter, event, count] of this.#listeners) {
      // A connection that is closed has sent all its listeners away.
      expect(emitter.listenerCount(event), `listeners for ${event}`).toBeLessThanOrEqual(count);
    }
    this.#stop();
  }
}

function ownProperties(object: object): ReadonlyMap<PropertyKey, unknown> {
  return new Map(
    Reflect.ownKeys(object).map((name) => [name, Object.getOwnPropertyDescriptor(object, name)?.value]),
  );
}
