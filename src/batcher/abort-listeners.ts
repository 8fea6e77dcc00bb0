/**
 * Listens for the abort of a signal that may be shared by many. However many listen, the signal has one
 * listener of ours: past ten, Node would warn of a leak.
 */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** @returns what stops listening. The signal must not have been aborted yet. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new Set();
    listenersOf.set(signal, listeners);
    signal.addEventListener('abort', callAll);
  }
  listeners.add(listener);
  return () => {
    const remaining = listenersOf.get(signal);
    if (remaining?.delete(listener) !== true || remaining.size > 0) return;
    forget(signal);
  };
}

function callAll(event: Event): void {
  const signal = event.currentTarget as AbortSignal;
  const listeners = listenersOf.get(signal);
  forget(signal);
  for (const listener of listeners ?? []) listener();
}

function forget(signal: AbortSignal): void {
  listenersOf.delete(signal);
  signal.removeEventListener('abort', callAll);
}
