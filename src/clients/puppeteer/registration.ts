/**
 * Attaches to the browsers of a script that knows nothing of this package. The calls that the module hooks put into
 * Puppeteer and Playwright arrive here. From then on the methods that launch a browser are followed: on Puppeteer's
 * classes, so that every instance has them, and a method that the script sets or stubs on an instance stays as it is.
 *
 * Invariant: a script gets its browser as it would without this package, even where attaching fails.
 */
import type { AttachOptions } from '../../handles/attach-options.ts';
import type { Attachment } from '../../handles/attachment.ts';
import { shadow } from '../session-hook.ts';
import { attach, isAttachable } from './attach.ts';
import { SEEN } from './register-hooks.ts';
import { isBrowser } from './structure.ts';

interface Registration {
  readonly options: AttachOptions;
  /** @param browser one of any client, as the client gives it. */
  onAttached(attachment: Attachment, browser: object): void;
}

/** A copy of Puppeteer or Playwright that was loaded. */
export interface SeenClient {
  /** Path or URL of the file that was found. */
  readonly file: string;
  /** Its browsers that were attached to. */
  attached: number;
  /** Its browsers that cannot be attached to, such as those of Puppeteer 15 and before. */
  unattachable: number;
}

/** Makes a client's browsers come attached. @returns whether it is a client of that kind. */
type Follow = (client: object, seen: SeenClient) => boolean;

let current: Registration = { options: {}, onAttached: () => {} };
const seenClients = new Map<string, SeenClient>();
const followed = new WeakSet<object>();
let hasComplained = false;

/** Attaches like this to browsers that come from now on. */
export function register(how: Registration): void {
  current = how;
}

/** The way to attach that is used now. */
export function registration(): Registration {
  return current;
}

/** The copies of Puppeteer and Playwright that were loaded so far. */
export function clientsSeen(): readonly SeenClient[] {
  return [...seenClients.values()];
}

/**
 * Answers the calls that the module hooks put in. Only the first copy of this package to ask for them gets them: several
 * would attach to each browser several times.
 *
 * @param followOther called for anything but a Puppeteer.
 * @returns whether this copy gets them.
 */
export function answerCalls(followOther: Follow): boolean {
  const name = Symbol.for(SEEN);
  if (Object.hasOwn(globalThis, name)) return false;
  Object.defineProperty(globalThis, name, {
    value: (found: unknown, file: string) => void noteSeen(found, file, followOther),
  });
  return true;
}

/**
 * @param found an instance of Puppeteer, a prototype of one, or another object that the hooks have found.
 * @returns whether it is a client that can be followed.
 */
export function noteSeen(found: unknown, file: string, followOther: Follow): boolean {
  if (typeof found !== 'object' || found === null) return false;
  const seen = seenClients.get(file) ?? { file, attached: 0, unattachable: 0 };
  const isClient = followPuppeteer(found, seen) || followOther(found, seen);
  if (isClient) seenClients.set(file, seen);
  return isClient;
}

/** Follows an instance that was made before its class was followed, and has a bound `launch` of its own. */
export function followInstance(instance: object, file: string): void {
  const seen = seenClients.get(file);
  if (seen === undefined || followed.has(instance)) return;
  followed.add(instance);
  follow(instance, 'launch', seen);
}

/** Attaches to the browser that a client gave. */
export function attachSeen(seen: SeenClient, browser: object, attachNow: () => Attachment | undefined): void {
  try {
    const attachment = attachNow();
    if (attachment === undefined) {
      seen.unattachable++;
      return;
    }
    seen.attached++;
    current.onAttached(attachment, browser);
  } catch (error) {
    if (hasComplained) return;
    hasComplained = true;
    process.stderr.write(`cdp-release-batcher: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Follows `launch` and `connect` of an instance's classes. */
function followPuppeteer(found: object, seen: SeenClient): boolean {
  if (typeof Reflect.get(found, 'launch') !== 'function') return false;
  if (typeof Reflect.get(found, 'defaultArgs') !== 'function') return false;
  for (
    let prototype = Object.hasOwn(found, 'constructor') ? found : Object.getPrototypeOf(found);
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (followed.has(prototype)) continue;
    followed.add(prototype);
    for (const method of ['launch', 'connect']) follow(prototype, method, seen);
  }
  return true;
}

/** One class calls the other's `connect`. */
const attachedAlready = new WeakSet<object>();

function follow(prototype: object, method: string, seen: SeenClient): void {
  const original: unknown = Object.getOwnPropertyDescriptor(prototype, method)?.value;
  if (typeof original !== 'function') return;
  const following = function (this: unknown, ...args: never[]): unknown {
    const given: unknown = Reflect.apply(original, this, args);
    return given instanceof Promise ? given.then((browser) => seeBrowser(browser, seen)) : given;
  };
  for (const name of ['name', 'length'] as const) {
    Object.defineProperty(following, name, { value: original[name], configurable: true });
  }
  shadow(prototype, method, following);
}

function seeBrowser<Given>(given: Given, seen: SeenClient): Given {
  if (!isBrowser(given) || attachedAlready.has(given)) return given;
  attachedAlready.add(given);
  const { options } = current;
  attachSeen(seen, given, () => (isAttachable(given) ? attach(given, options) : undefined));
  return given;
}
