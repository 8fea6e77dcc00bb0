/**
 * Puts itself between a client and one of its sessions by shadowing methods on that one object; no
 * prototype is touched, for that would reach every other user of the client in the process. Unhooking
 * leaves the object with the own properties that it had.
 */

import type { SessionTap } from '../handles/observe-session.ts';
import type { Forward, Params } from '../handles/protocol.ts';

/** A session that gives promises, and whose events pass through its own `emit`: Puppeteer's, Playwright's. */
export interface EmittingSession {
  send(method: string, params?: Params, ...rest: unknown[]): Promise<unknown>;
  emit(event: string | symbol, ...payload: unknown[]): unknown;
}

/** Told of each event before the client's own listeners. */
export type OnEvent = (event: string | symbol, payload: unknown) => void;

/** @returns what undoes it. */
export function hookSession(session: EmittingSession, tap: SessionTap, onEvent: OnEvent): () => void {
  const sendBelow = below(session, 'send');
  const emitBelow = below(session, 'emit');
  let isHooked = true;

  // Made apart, for two reasons: an early answer needs none, and no frame of its own stands on the stack of a
  // send, where an error would have it in place of one of the program's.
  const forwarding =
    (method: string, rest: readonly unknown[]): Forward =>
    (outgoing) =>
      sendBelow().call(session, method, outgoing, ...rest);

  const unshadowSend = shadow(session, 'send', (method: string, params?: Params, ...rest: unknown[]) =>
    isHooked
      ? (tap.releaseEarly(method, params) ?? tap.command(method, params, forwarding(method, rest)))
      : sendBelow().call(session, method, params, ...rest),
  );
  const unshadowEmit = shadow(session, 'emit', (event: string | symbol, ...payload: unknown[]) => {
    if (isHooked) {
      if (typeof event === 'string') tap.event(event, payload[0]);
      onEvent(event, payload[0]);
    }
    return emitBelow().call(session, event, ...payload);
  });

  return () => {
    isHooked = false; // Should somebody have wrapped these in turn, they stay, and do nothing.
    unshadowSend();
    unshadowEmit();
  };
}

/**
 * On methods that were to be taken away while somebody else's stood above them: what each had found before it. When the
 * one above is taken away in turn, by whichever copy of this package, that comes back, and not a method that is over.
 */
const FOUND = Symbol.for('cdp-release-batcher:found');

interface Taken {
  [FOUND]?: { readonly before: PropertyDescriptor | undefined };
}

/**
 * The method that an object would have without the one that is about to be put above it, found anew with each call: a
 * program may wrap a class's method later, to see what is sent, or take such a wrapper away.
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

/** Gives an object a method of its own; what is returned takes it away again, where it is still there. */
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

/** What a method that is over had found before it; `undefined` for any other. */
function takenAs(descriptor: PropertyDescriptor | undefined): Taken[typeof FOUND] {
  const value: unknown = descriptor?.value;
  return typeof value === 'function' ? (value as Taken)[FOUND] : undefined;
}
