/**
 * Functions that a body under `expectNoLeaks` hands to Puppeteer, to be called when something happens in the browser.
 * Handles that they ask for belong to the body, though the functions run in no async context of it.
 *
 * Invariant: when the outermost body is over, a listener that is still registered is the original one.
 */
import { callerOf } from '../../observe/calling-line.ts';
import { currentCall, currentWindow, runWindow, type TraceWindow } from '../../observe/traced-call.ts';

export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A listener of a body's, and the function that was registered in its place. */
interface Bound {
  readonly type: unknown;
  readonly listener: Method;
  readonly bound: Method;
}

const listenersOf = new WeakMap<object, Bound[]>();

/** In place of an emitter's `on`. */
export function onInWindow(on: Method): Method {
  return function (this: unknown, ...args) {
    const [type, listener] = args;
    const window = windowOfProgram();
    if (window === undefined || !isFunction(listener) || typeof this !== 'object' || this === null) {
      return on.apply(this, args);
    }
    const bound = { type, listener, bound: bind(listener, window) };
    const listeners = listenersOf.get(this) ?? [];
    listenersOf.set(this, listeners);
    listeners.push(bound);
    window.onEnd(() => {
      const index = listeners.indexOf(bound);
      if (index < 0) return;
      // Through the present `off`: in the place of the listener, the function that was registered for it is removed.
      const emitter = this as {
        off(type: unknown, listener: Method): unknown;
        listenerCount(type: unknown): number;
      };
      const before = emitter.listenerCount(type);
      emitter.off(type, listener);
      if (emitter.listenerCount(type) < before) on.call(this, type, listener);
    });
    return on.call(this, type, bound.bound);
  };
}

/** In place of an emitter's `once`, which registers a function of its own: nothing could remove the listener. */
export function onceInWindow(once: Method): Method {
  return function (this: unknown, ...args) {
    const [type, listener] = args;
    const window = windowOfProgram();
    return window === undefined || !isFunction(listener)
      ? once.apply(this, args)
      : once.call(this, type, bind(listener, window));
  };
}

/** The window in which the program registers a listener; `undefined` if the client registers one for itself. */
function windowOfProgram(): TraceWindow | undefined {
  const window = currentWindow();
  if (window === undefined || currentCall() !== undefined) return undefined;
  return callerOf().isDirect ? window : undefined;
}

/** In place of an emitter's `off`. */
export function offInWindow(off: Method): Method {
  return function (this: unknown, ...args) {
    const [type, listener] = args;
    const listeners = listenersOf.get(this as object);
    if (listeners === undefined) return off.apply(this, args);
    if (listener === undefined) {
      for (let index = listeners.length - 1; index >= 0; index--) {
        if (listeners[index]?.type === type) listeners.splice(index, 1);
      }
      return off.apply(this, args);
    }
    const index = listeners.findLastIndex((each) => each.type === type && each.listener === listener);
    const [found] = index < 0 ? [] : listeners.splice(index, 1);
    return found === undefined ? off.apply(this, args) : off.call(this, type, found.bound);
  };
}

/** In place of a method that takes functions to be called here: `exposeFunction`, `waitForResponse`. */
export function boundToWindow(original: Method): Method {
  return function (this: unknown, ...args) {
    const window = currentWindow();
    if (window === undefined) return original.apply(this, args);
    return original.apply(
      this,
      args.map((arg) => (isFunction(arg) ? bind(arg, window) : arg)),
    );
  };
}

function bind(listener: Method, window: TraceWindow): Method {
  return function (this: unknown, ...args) {
    return runWindow(window, () => listener.apply(this, args));
  };
}

function isFunction(value: unknown): value is Method {
  return typeof value === 'function';
}
