/**
 * Stands between a client and one of its sessions by shadowing methods on that one object. No prototype is touched, since
 * that would reach every other user of the client in the process. Unhooking leaves the object with the own properties that
 * it had.
 */

import type { SessionTap } from '../handles/observe-session.ts';
import type { Forward, Params } from '../handles/protocol.ts';

/** A session that gives promises, and whose events pass through its own `emit`: Puppeteer's, Playwright's. */
export interface EmittingSession {
  send(method: string, params?: Params, ...rest: unknown[]): Promise<unknown>;
  emit(event: string | symbol, ...payload: unknown[]): unknown;
}

/** Called for each event, before the client's own listeners. */
export type OnEvent = (event: string | symbol, payload: unknown) => void;

/** Hooks a session's `send` and `emit`. @returns a function that undoes it. */
export function hookSession(session: EmittingSession, tap: SessionTap, onEvent: OnEvent): () => void {
  // As `below`, by name: to look a method up by a variable takes V8 several times as long, and this is done for each message.
  const beneath = Object.getPrototypeOf(session) as EmittingSession;
  const ownSend = Object.hasOwn(session, 'send') ? session.send : undefined;
  const ownEmit = Object.hasOwn(session, 'emit') ? session.emit : undefined;
  let isHooked = true;

  // Made by a function of its own, for two reasons: an early answer needs none; and it leaves no frame on the stack of a `send`,
  // where an error would show that frame in place of one of the program's.
  const forwarding =
    (method: string, rest: readonly unknown[]): Forward =>
    (outgoing) =>
      rest.length === 0
        ? (ownSend ?? beneath.send).call(session, method, outgoing)
        : (ownSend ?? beneath.send).call(session, method, outgoing, ...rest);

  const unshadowSend = shadow(session, 'send', (method: string, params?: Params, ...rest: unknown[]) => {
    if (isHooked) {
      const early = method === 'Runtime.releaseObject' ? tap.releaseEarly(params) : undefined;
      if (early !== undefined) return early;
      if (!tap.letsPass(method)) return tap.command(method, params, forwarding(method, rest));
    }
    return rest.length === 0
      ? (ownSend ?? beneath.send).call(session, method, params)
      : (ownSend ?? beneath.send).call(session, method, params, ...rest);
  });
  const unshadowEmit = shadow(session, 'emit', (event: string | symbol, ...payload: unknown[]) => {
    if (isHooked) {
      if (typeof event === 'string') tap.event(event, payload[0]);
      onEvent(event, payload[0]);
    }
    return (ownEmit ?? beneath.emit).call(session, event, ...payload);
  });

  return () => {
    isHooked = false; // If others have wrapped these methods, they stay, and only forward.
    unshadowSend();
    unshadowEmit();
  };
}

/**
 * Set on methods that were to be removed while another's method was above them: the property that each had replaced. When
 * the one above is removed, by whichever copy of this package, that property is restored, and not a method that is no
 * longer in use.
 */
const FOUND = Symbol.for('cdp-release-batcher:found');

interface Taken {
  [FOUND]?: { readonly before: PropertyDescriptor | undefined };
}

/**
 * The method that an object would have without the one that is about to shadow it. Looked up anew with each call: a program
 * may wrap a class's method later, to see what is sent, or remove such a wrapper.
 */
export function below<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
): () => Target[Name] {
  if (Object.hasOwn(target, name)) {
    const own = target[name];
    return () => own;
  }
  return () => (Object.getPrototypeOf(target) as Target)[name];
}

/** Gives an object a method of its own. @returns a function that removes the method, if it is still there. */
export function shadow(target: object, name: string, method: (...args: never[]) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, {
    value: method,
    writable: true,
    configurable: true,
    enumerable: false,
  });
  return () => {
    if (Object.getOwnPropertyDescriptor(target, name)?.value !== method) {
      Object.defineProperty(method, FOUND, { value: { before } });
      return;
    }
    let found = before;
    for (let over = takenAs(found); over !== undefined; over = takenAs(found)) found = over.before;
    if (found === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, found);
  };
}

/** The property that a method had replaced which is no longer in use; `undefined` for any other method. */
function takenAs(descriptor: PropertyDescriptor | undefined): Taken[typeof FOUND] {
  const value: unknown = descriptor?.value;
  return typeof value === 'function' ? (value as Taken)[FOUND] : undefined;
}
