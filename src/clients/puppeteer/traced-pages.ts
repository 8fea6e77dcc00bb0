/**
 * The pages whose calls are told from Puppeteer's own while leaks are traced. Calls are followed on the classes of pages and of the
 * objects that a page gives. The page is asked for one instance of each class at once, so that a handle, a locator or a worker that
 * the program has from before is followed, too. A class without an instance yet is followed when one comes.
 */
import { learnClientFiles } from '../../observe/calling-line.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import { targetOf } from './browser-connection.ts';
import { followCalls, wrapClassesOf } from './call-trace.ts';
import type { CdpSessionLike, PageLike } from './structure.ts';

export class TracedPages {
  /** Open pages, each with its listener for its close. */
  readonly #pages = new Map<PageLike, () => void>();
  #unfollow: (() => void) | undefined;

  /** Follows calls for a report, until `stop`. Once; later calls do nothing. */
  follow(report: LeakReport): void {
    this.#unfollow ??= followCalls(report);
  }

  stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    for (const page of this.#pages.keys()) this.#forget(page);
  }

  /** Does nothing while no calls are followed. */
  add(page: PageLike): void {
    if (this.#unfollow === undefined || this.#pages.has(page)) return;
    if (this.#pages.size === 0) learnClientFiles((back) => callBackFrom(page, back));
    const onClosed = (): void => this.#forget(page);
    this.#pages.set(page, onClosed);
    for (const instance of instancesOf(page)) wrapClassesOf(instance);
    page.on?.('workercreated', this.addWorker);
    page.on?.('close', onClosed);
  }

  #forget(page: PageLike): void {
    page.off?.('workercreated', this.addWorker);
    page.off?.('close', this.#pages.get(page));
    this.#pages.delete(page);
  }

  /** An arrow function, since it is also a listener. Does nothing while no calls are followed. */
  readonly addWorker = (worker: unknown): void => {
    if (this.#unfollow === undefined) return;
    wrapClassesOf(worker);
    wrapClassesOf(memberOf(worker, 'mainRealm'));
  };

  /**
   * The page is found by its target, once Puppeteer has begun to make it. In each Puppeteer an event that comes by then
   * belongs to a page's life. Contexts, for example, are not told to a Puppeteer that does not ask for them.
   */
  addPageOf(session: CdpSessionLike): void {
    if (this.#unfollow === undefined) return;
    targetOf(session)?.pagePromise?.then(
      (found) => {
        if (found !== null) this.add(found);
      },
      () => {}, // A page that was never created.
    );
  }
}

/** An emitter calls its listeners at once, from files of its own. */
function callBackFrom(page: PageLike, back: () => void): void {
  const { emit } = page as { emit?: (type: string) => unknown };
  if (emit === undefined || page.on === undefined || page.off === undefined) return;
  const type = 'cdp-release-batcher';
  page.on(type, back);
  try {
    emit.call(page, type);
  } finally {
    page.off(type, back);
  }
}

/** Makes an instance of each class that the program may call. None of them costs a command. */
function* instancesOf(page: PageLike): Iterable<unknown> {
  yield page;
  const frame = memberOf(page, 'mainFrame');
  yield frame;
  const realm = memberOf(frame, 'mainRealm');
  yield realm;
  for (const remoteObject of [{ type: 'object' }, { type: 'object', subtype: 'node' }]) {
    yield memberOf(realm, 'createCdpHandle', remoteObject);
  }
  yield (page as { readonly accessibility?: unknown }).accessibility;
  for (const selector of ['*', () => null]) {
    const locator = memberOf(page, 'locator', selector) as object | undefined;
    yield locator;
    yield memberOf(locator, 'map', () => null);
    yield memberOf(locator, 'filter', () => true);
    // `Locator.race` is of the class above.
    yield memberOf(locator?.constructor, 'race', [locator]);
  }
  for (const worker of (memberOf(page, 'workers') as readonly unknown[] | undefined) ?? []) {
    yield worker;
    yield memberOf(worker, 'mainRealm');
  }
}

/** The result of one of Puppeteer's methods; `undefined` where this Puppeteer does not have the method. */
function memberOf(object: unknown, method: string, ...args: readonly unknown[]): unknown {
  try {
    const found = (object as { readonly [name: string]: unknown } | undefined)?.[method];
    return typeof found === 'function' ? Reflect.apply(found, object, args) : undefined;
  } catch {
    return undefined;
  }
}
