/**
 * Follows the program's calls into Puppeteer while leaks are traced, so that each handle is known by the line
 * that asked for it, and what a call gives back can be told from what it leaves behind.
 *
 * For that the methods are wrapped on the prototypes of Puppeteer's pages, frames, realms, handles, workers and
 * locators: all, since an unwrapped one that calls a wrapped one would look like the program. That reaches every user of
 * that copy of Puppeteer: they are called as ever, with the same `this`, arguments, answers and errors, and the last to
 * stop tracing puts the originals back.
 *
 * Not on the objects, one by one, as sessions are hooked: a program comes by frames and handles in more ways than a call's
 * answer (events, getters, `frames()`, what a request belongs to), and one way overlooked is a leak that is not told; each
 * handle would carry fifty functions of its own; and through a Proxy Puppeteer's private members throw.
 */
import { withHiddenFrames } from '../../observe/hidden-frames.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import { currentCall, runCall, runOutsideCalls, type TracedCall } from '../../observe/traced-call.ts';
import { mintOf } from '../../observe/traced-mint.ts';
import { boundToWindow, type Method, offInWindow, onceInWindow, onInWindow } from './window-listeners.ts';

/**
 * What mints nothing, and is called often or waits long; and what takes a function that may call in turn. What gives, at
 * once, objects that have calls of their own is learnt to do so from its first answer.
 */
const OTHERS =
  /^(?:constructor|_.*|listenerCount|removeAllListeners|move|remoteObject|remoteValue|asElement|toString|createCdpHandle|mainRealm|isolatedRealm|waitFor(?!Selector$|Function$|XPath$).*)$/;
/** What takes a function that Puppeteer calls here, and not in the page. */
const CALLING_BACK = /^(?:exposeFunction|waitFor(?:Request|Response|Frame|Target))$/;

/** What replaces a method, where it is not followed as a call. */
const REPLACEMENTS: ReadonlyMap<string, (original: Method) => Method> = new Map([
  ['dispose', wrapDispose],
  ['on', onInWindow],
  ['once', onceInWindow],
  ['off', offInWindow],
  ['emit', wrapEmit],
]);

/** The reports that want to hear of calls, and what has to be put back when there are none. */
const reports = new Set<LeakReport>();
const wrapped = new Set<object>();
const originals: (() => void)[] = [];

/** Begins to follow calls for a report. @returns what ends it. */
export function followCalls(report: LeakReport): () => void {
  reports.add(report);
  return () => {
    reports.delete(report);
    if (reports.size > 0) return;
    for (const restore of originals.splice(0).reverse()) restore();
    wrapped.clear();
  };
}

/** Wraps the methods of an object's classes, once; for what is no object nothing is done. */
export function wrapClassesOf(instance: unknown): void {
  if (typeof instance !== 'object' || instance === null || reports.size === 0) return;
  for (
    let prototype: object | null = Object.getPrototypeOf(instance) as object | null;
    prototype !== null && prototype !== Object.prototype && !wrapped.has(prototype);
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    wrapped.add(prototype);
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const wrap = REPLACEMENTS.get(name) ?? (OTHERS.test(name) ? undefined : wrapCall);
      if (wrap !== undefined) wrapMethod(prototype, name, wrap);
      if (CALLING_BACK.test(name)) wrapMethod(prototype, name, boundToWindow);
    }
  }
}

function wrapMethod(prototype: object, name: string, wrap: (original: Method) => Method): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const original: unknown = descriptor?.value;
  if (typeof original !== 'function' || descriptor?.configurable !== true) return;
  const value = wrap(original as Method);
  // As it was called, for whoever makes messages of it.
  Object.defineProperty(value, 'name', { value: original.name, configurable: true });
  Object.defineProperty(prototype, name, { ...descriptor, value });
  originals.push(() => {
    if (Object.getOwnPropertyDescriptor(prototype, name)?.value === value) {
      Object.defineProperty(prototype, name, descriptor);
    }
  });
}

function wrapCall(original: Method): Method {
  /** Answers at once, so that nothing is minted for it: learnt from its first answer. */
  let isSynchronous = false;
  return function (this: unknown, ...args) {
    const report = reportOfNow();
    // Within a call that is followed it is Puppeteer that calls, itself.
    if (isSynchronous || report === undefined || currentCall() !== undefined) {
      return original.apply(this, args);
    }
    const call = report.beginCall(remoteObjectOf(this));
    const answer = runCall(call, () => withHiddenFrames(() => original.apply(this, args)));
    if (isPromise(answer)) return settled(call, answer);
    isSynchronous = true;
    call.resolve([]);
    return answer;
  };
}

/** What was disposed of was, whether or not there is a session left that could be told. */
function wrapDispose(original: Method): Method {
  return function (this: unknown, ...args) {
    const remoteObject = remoteObjectOf(this);
    const answer = original.apply(this, args);
    if (remoteObject !== undefined) mintOf(remoteObject)?.end('disposed');
    return answer;
  };
}

/** An event's listeners are the program's, also where it is a call of the program's that leads to the event. */
function wrapEmit(original: Method): Method {
  return function (this: unknown, ...args) {
    return runOutsideCalls(() => original.apply(this, args));
  };
}

/** An async function, so that the stack of an error goes through it to the program's own line. */
async function settled(call: TracedCall, answer: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await answer;
  } catch (error) {
    call.reject();
    throw error;
  }
  call.resolve(remoteObjectsIn(value));
  return value;
}

/** Every report's sessions have the same calls: where there are several, one stack is read for all. */
function reportOfNow(): LeakReport | undefined {
  const [report] = reports;
  return report;
}

/** The remote objects of the handles that a call gives back: one, an array of them, a map of them. */
export function remoteObjectsIn(value: unknown): object[] {
  const found: object[] = [];
  const values =
    Array.isArray(value) || value instanceof Set ? value : value instanceof Map ? value.values() : [value];
  for (const each of values as Iterable<unknown>) {
    const remoteObject = remoteObjectOf(each);
    if (remoteObject === undefined) continue;
    found.push(remoteObject);
    wrapClassesOf(each);
  }
  return found;
}

/** What a handle stands for: CDP's remote object, or the value of WebDriver BiDi. */
function remoteObjectOf(value: unknown): object | undefined {
  return answerOf(value, 'remoteObject') ?? answerOf(value, 'remoteValue');
}

function answerOf(value: unknown, method: 'remoteObject' | 'remoteValue'): object | undefined {
  try {
    const handle = value as { readonly [name in typeof method]?: unknown } | null | undefined;
    if (typeof handle !== 'object' || typeof handle?.[method] !== 'function') return undefined;
    const answer: unknown = (handle[method] as () => unknown)();
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined; // Somebody else's object, that only looks like a handle; or a handle of the other protocol.
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
