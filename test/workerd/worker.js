/**
 * A worker as somebody might deploy it: singletons that live as long as the isolate, made by whichever
 * request comes first. `/get` gives one and says what it took, `/state` tells how things stand.
 */
import { createInitLock, initWithLock } from './single-flight/index.js';

/** By name, so that each test has its own. */
const singletons = new Map();

function singletonOf(name) {
  if (!singletons.has(name)) {
    singletons.set(name, { lock: createInitLock(), value: null, begun: 0, ended: 0, cleanedUp: 0 });
  }
  return singletons.get(name);
}

export default {
  async fetch(request, _env, ctx) {
    const url = new URL(request.url);
    const query = url.searchParams;
    const singleton = singletonOf(query.get('name'));
    if (url.pathname === '/state') {
      const { lock, ...state } = singleton;
      return Response.json({ ...state, isLocked: lock.ownerStartedAt !== null });
    }

    let waitedMs = 0;
    const init = async (isCurrentClaim) => {
      singleton.begun++;
      try {
        await scheduler.wait(Number(query.get('initMs')));
        if (isCurrentClaim()) singleton.value = query.get('value');
        singleton.ended++;
        return query.get('value');
      } finally {
        singleton.cleanedUp++;
      }
    };
    const value = await initWithLock(singleton.lock, () => singleton.value, init, {
      deadlineMs: 1_500,
      pollMs: 20,
      anchor: query.has('anchored') ? (inFlight) => ctx.waitUntil(inFlight) : undefined,
      onWaited: (ms) => {
        waitedMs = ms;
      },
    });
    return Response.json({ value, waitedMs });
  },
};
