// Loaded with `--import`: notes what this package makes that could hold a process open, by the stack that made it.
import { createHook } from 'node:async_hooks';

const FOLDER = new URL('../../dist/', import.meta.url).href;
const made = new Map();
Error.stackTraceLimit = 50;

createHook({
  init(id, type, _trigger, resource) {
    // A promise holds nothing; an immediate holds for one turn, and the next is noted as well.
    if (type === 'PROMISE' || type === 'TickObject' || type === 'Immediate') return;
    if (new Error().stack.includes(FOLDER)) made.set(id, { type, resource });
  },
  destroy: (id) => made.delete(id),
}).enable();

let mostAtOnce = 0;
const count = () => {
  mostAtOnce = Math.max(mostAtOnce, made.size);
};

/** What of the package's holds the process now. */
globalThis.heldByUs = () => {
  count();
  return [...made.values()].filter(({ resource }) => resource.hasRef?.() ?? true).map(({ type }) => type);
};
/** How much of the package's was there at a time, held or not: 0 would mean that nothing was looked at. */
globalThis.notedOfUs = () => {
  count();
  return mostAtOnce;
};
