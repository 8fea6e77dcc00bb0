/**
 * Listeners of abort signals. Many may share a signal that lives longer than all of them, so each signal has one listener
 * of ours: past ten, Node would warn of a leak.
 *
 * Invariant: a signal keeps nothing alive that listens to it.
 */
import { FEWEST_CLEARED } from '../policy.ts';

interface Listener {
  readonly owner: WeakRef<object>;
  call(): void;
}

interface Listeners {
  readonly all: Set<Listener>;
  /** Past this size the set is searched for owners that are gone. */
  mostUnchecked: number;
}

const listenersOf = new WeakMap<AbortSignal, Listeners>();

/** Takes those away whose owner is gone. V8 may call no finalizers any more, hence `mostUnchecked` as well. */
const ownerless: FinalizationRegistry<Registration> = /* @__PURE__ */ new FinalizationRegistry(
  ({ all, listener }) => void all.delete(listener),
);

interface Registration {
  readonly all: Set<Listener>;
  readonly listener: Listener;
}

/**
 * @param signal one that has not been aborted yet.
 * @param owner is referred to weakly.
 * @param onAborted gets the owner, and must not close over it.
 * @returns stops listening.
 */
export function onAbort<Owner extends object>(
  signal: AbortSignal,
  owner: Owner,
  onAborted: (owner: Owner) => void,
): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = { all: new Set(), mostUnchecked: FEWEST_CLEARED };
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
  const { all } = listeners;
  all.add(listener);
  ownerless.register(owner, { all, listener });
  return () => {
    const remaining = listenersOf.get(signal)?.all;
    if (remaining?.delete(listener) === true && remaining.size === 0) forget(signal);
  };
}

function forgetOwnerless(listeners: Listeners): void {
  for (const listener of listeners.all)
    if (listener.owner.deref() === undefined) listeners.all.delete(listener);
  listeners.mostUnchecked = Math.max(FEWEST_CLEARED, 2 * listeners.all.size);
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
