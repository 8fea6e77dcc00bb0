const kept: object[] = [];

/**
 * A `FinalizationRegistry` that is never collected. Where one is that has something to tell, V8 calls no finalizer of the process
 * any more, and all tests behind it in that process wait in vain.
 */
export function keptRegistry<Held>(onCollected: (held: Held) => void): FinalizationRegistry<Held> {
  const registry = new FinalizationRegistry(onCollected);
  kept.push(registry);
  return registry;
}
