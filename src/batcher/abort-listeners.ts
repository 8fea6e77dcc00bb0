/**
 * Listens for the abort of a signal that may be shared by many, and live longer than all of them. However many listen,
 * the signal has one listener of ours: past ten, Node would warn of a leak.
 *
 * Invariant: a signal keeps nothing alive that listens to it.
 */

/** One that listens, and what is to be done for it. */
interface Listener {
  readonly owner: WeakRef<object>;
  call(): void;
}

interface Listeners {
  readonly all: Set<Listener>;
  /** So many that more are looked through for owners that are gone. */
  mostUnchecked: number;
}

const FEWEST_CHECKED = 16;

const listenersOf = new WeakMap<AbortSignal, Listeners>();

/**
 * @param owner is kept by its user; the signal sees it weakly.
 * @param onAborted is given the owner, and must not close over it.
 * @returns what stops listening. The signal must not have been aborted yet.
 */
export function onAbort<Owner extends object>(
  signal: AbortSignal,
  owner: Owner,
  onAborted: (owner: Owner) => void,
): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = { all: new Set(), mostUnchecked: FEWEST_CHECKED };
    listenersOf.set(signal, listeners);
    signal.addEventListener('abort', callAll);
  }
  if (listeners.all.size >= listeners.mostUnchecked) forgetOwnerless(listeners);
  const weak = new WeakRef(owner);
  const listener: Listener = {
    owner: weak,
    call: () => {
      const alive = weak.deref();
      if (alive !== undefined) onAborted(alive);
    },
  };
  listeners.all.add(listener);
  return () => {
    const remaining = listenersOf.get(signal)?.all;
    if (remaining?.delete(listener) === true && remaining.size === 0) forget(signal);
  };
}

function forgetOwnerless(listeners: Listeners): void {
  for (const listener of listeners.all)
    if (listener.owner.deref() === undefined) listeners.all.delete(listener);
  listeners.mostUnchecked = Math.max(FEWEST_CHECKED, 2 * listeners.all.size);
}

function callAll(event: Event): void {
  const signal = event.currentTarget as AbortSignal;
  const listeners = listenersOf.get(signal);
  forget(signal);
  for (const listener of listeners?.all ?? []) listener.call();
}

function forget(signal: AbortSignal): void {
  listenersOf.delete(signal);
  signal.removeEventListener('abort', callAll);
}
