/**
 * Follows the program's calls into Puppeteer while leaks are traced. So each handle is known by the line that asked for it,
 * and the handles that a call returns can be told from those that it leaves behind.
 *
 * The methods are wrapped on the prototypes of Puppeteer's pages, frames, realms, handles, workers and locators. All of
 * them: an unwrapped method that calls a wrapped one would look like the program. That reaches every user of that copy of
 * Puppeteer: methods are called with the same `this`, arguments, answers and errors, and the last one to stop tracing
 * restores the originals.
 *
 * Objects are not wrapped one by one, as sessions are hooked. A program gets frames and handles in many ways besides a
 * call's answer (events, getters, `frames()`, the frame of a request), and each way that is overlooked is a leak that is
 * not reported. Each handle would carry fifty functions of its own, and Puppeteer's private members throw through a Proxy.
 */
import { withHiddenFrames } from '../../observe/hidden-frames.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import { currentCall, runCall, runOutsideCalls, type TracedCall } from '../../observe/traced-call.ts';
import { mintOf } from '../../observe/traced-mint.ts';
import { boundToWindow, type Method, offInWindow, onceInWindow, onInWindow } from './window-listeners.ts';

/**
 * Not followed: methods that mint nothing and are called often or wait for long, and methods that take a function which may
 * call in turn. A method that returns, at once, objects with calls of their own is found by its first answer.
 */
const OTHERS =
  /^(?:constructor|_.*|listenerCount|removeAllListeners|move|remoteObject|remoteValue|asElement|toString|createCdpHandle|mainRealm|isolatedRealm|waitFor(?!Selector$|Function$|XPath$).*)$/;
/** Methods that take a function which Puppeteer calls here, and not in the page. */
const CALLING_BACK = /^(?:exposeFunction|waitFor(?:Request|Response|Frame|Target))$/;

/** Replaces a method that is not followed as a call. */
const REPLACEMENTS: ReadonlyMap<string, (original: Method) => Method> = new Map([
  ['dispose', wrapDispose],
  ['on', onInWindow],
  ['once', onceInWindow],
  ['off', offInWindow],
  ['emit', wrapEmit],
]);

/** The reports that calls are followed for. When none is left, `originals` restores the methods. */
const reports = new Set<LeakReport>();
const wrapped = new Set<object>();
const originals: (() => void)[] = [];

/** Begins to follow calls for a report. @returns a function that ends this. */
export function followCalls(report: LeakReport): () => void {
  reports.add(report);
  return () => {
    reports.delete(report);
    if (reports.size > 0) return;
    for (const restore of originals.splice(0).reverse()) restore();
    wrapped.clear();
  };
}

/** Wraps the methods of an object's classes, once. For other values it does nothing. */
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
  // With its own name, for code that puts it into messages.
  Object.defineProperty(value, 'name', { value: original.name, configurable: true });
  Object.defineProperty(prototype, name, { ...descriptor, value });
  originals.push(() => {
    if (Object.getOwnPropertyDescriptor(prototype, name)?.value === value) {
      Object.defineProperty(prototype, name, descriptor);
    }
  });
}

function wrapCall(original: Method): Method {
  /** Whether the method answers at once, so that nothing is minted for it: known from its first answer. */
  let isSynchronous = false;
  return function (this: unknown, ...args) {
    const report = reportOfNow();
    // Within a call that is followed Puppeteer itself is the caller.
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

/** A handle counts as disposed of even if no session is left that could be told. */
function wrapDispose(original: Method): Method {
  return function (this: unknown, ...args) {
    const remoteObject = remoteObjectOf(this);
    const answer = original.apply(this, args);
    if (remoteObject !== undefined) mintOf(remoteObject)?.end('disposed');
    return answer;
  };
}

/** A listener belongs to the program, even where a call of the program's causes the event. */
function wrapEmit(original: Method): Method {
  return function (this: unknown, ...args) {
    return runOutsideCalls(() => original.apply(this, args));
  };
}

/** An async function, so that the stack of an error leads through it to the program's own line. */
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

/** Calls are the same for all reports: where there are several, one stack is read for all of them. */
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

/** The remote object of a handle: CDP's RemoteObject, or WebDriver BiDi's value. */
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
    return undefined; // Another's object that only looks like a handle, or a handle of the other protocol.
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
