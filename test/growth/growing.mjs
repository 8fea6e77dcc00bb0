// Drives each collection of the library's a great many times, and prints how many bytes of this process's heap each time
// costs for good.
//
//     node --expose-gc growing.mjs '{ "times": 1000, "only": ["a group of the user\'s own"] }'
import { EventEmitter } from 'node:events';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { ReleaseBatcher } from '../../build/batcher/release-batcher.js';
import { attach as attachToRemoteInterface } from '../../build/clients/chrome-remote-interface.js';
import { RealmOrigins } from '../../build/clients/puppeteer/bidi/realm-origins.js';
import { PuppeteerRules } from '../../build/clients/puppeteer/command-rules.js';
import { attach } from '../../build/clients/session.js';
import { LeakAccounts } from '../../build/observe/leak-accounts.js';
import { GRACE_OF_LIGHT_MS, LOOK_AT_WAITING_MS } from '../../build/policy.js';
import { onAbort } from '../../build/runtime/abort-listeners.js';
import { FlightGroup } from '../../build/single-flight/flight-group.js';
import { SessionKeys } from '../../build/threads/session-keys.js';

const { times, only } = JSON.parse(process.argv[2]);

/** A session whose browser answers at once, but for the methods that hang. */
class Session extends EventEmitter {
  #lastId = 0;
  context = 1;
  hanging = new Set();

  send(method) {
    if (this.hanging.has(method)) return new Promise(() => {});
    return Promise.resolve(this.#answer(method));
  }

  #answer(method) {
    if (method === 'Runtime.getProperties') return { result: [{ name: 'x', value: this.#mint() }] };
    return method === 'Runtime.evaluate' || method === 'Runtime.callFunctionOn'
      ? { result: this.#mint() }
      : {};
  }

  #mint() {
    return { type: 'object', objectId: `-1.${this.context}.${++this.#lastId}` };
  }
}

const PAGE = { track: true, targetType: 'page', pressure: 0 };
const NAMELESS = { ...PAGE, groups: false };

/** The attachment of the scenario at hand, if it has one for good. */
let current;

function attached(options = PAGE) {
  const session = new Session();
  const releases = attach(session, options);
  current = releases;
  const evaluate = async (params = {}) =>
    (await session.send('Runtime.evaluate', { expression: '({})', ...params })).result;
  const dispose = ({ objectId }) => session.send('Runtime.releaseObject', { objectId });
  return { session, releases, evaluate, dispose };
}

/** A client of chrome-remote-interface, as far as it is used here. */
class RemoteInterface extends EventEmitter {
  #session = new Session();
  gone = new Set();

  send(method, _params, sessionId) {
    if (this.gone.has(sessionId)) return Promise.reject(new Error('Session with given id not found.'));
    return this.#session.send(method);
  }

  event(method, params) {
    this.emit('event', { method, params });
  }

  close() {}
}

/** By that the program keeps something itself: an object, its id, and a record of it. */
const ONE_KEPT = 'a document, of which one of many handles is kept';

/** By what is done each time. Each is given a number of its own; what it starts with is made once. */
const SCENARIOS = {
  "a group of the user's own, its ids released one by one": () => {
    const { evaluate, dispose } = attached();
    return async (count) => dispose(await evaluate({ objectGroup: `task-${count}` }));
  },
  "a group of the user's own, released whole": () => {
    const { evaluate, session } = attached();
    return async (count) => {
      const objectGroup = `task-${count}`;
      await evaluate({ objectGroup });
      await session.send('Runtime.releaseObjectGroup', { objectGroup });
    };
  },
  'a handle disposed of': () => {
    const { evaluate, dispose } = attached();
    return async () => dispose(await evaluate());
  },
  'a handle forgotten': () => {
    const { evaluate } = attached();
    return evaluate;
  },
  'a handle released by a command of its own': () => {
    const { evaluate, dispose } = attached(NAMELESS);
    return async () => dispose(await evaluate());
  },
  'a console message': () => {
    const { session } = attached({ ...PAGE, consoleEntries: 'discard' });
    return async (count) => {
      session.emit('Runtime.consoleAPICalled', { args: [{ type: 'object', objectId: `-1.1.${count}0000` }] });
    };
  },
  'a handle that a command names as it is disposed of': () => {
    const { evaluate, dispose, session } = attached(NAMELESS);
    return async () => {
      const handle = await evaluate();
      const named = session.send('DOM.describeNode', { objectId: handle.objectId });
      await dispose(handle);
      await named;
    };
  },
  'a child of an object from outside, in one long scope': () => {
    const { evaluate, dispose, session, releases } = attached();
    const outside = evaluate();
    const inScope = scopeForGood(releases);
    return async () => {
      const { objectId } = await outside;
      const { result } = await inScope(() => session.send('Runtime.getProperties', { objectId }));
      await dispose(result[0].value);
    };
  },
  'a handle without a group, in one long scope': () => {
    const { evaluate, dispose, releases } = attached(NAMELESS);
    const inScope = scopeForGood(releases);
    return async () => dispose(await inScope(evaluate));
  },
  'a scope': () => {
    const { evaluate, releases } = attached();
    return () => releases.scope(evaluate);
  },
  'a scope as a block': () => {
    const { evaluate, releases } = attached();
    return async () => {
      const scope = releases.openScope();
      await evaluate();
      scope.end();
    };
  },
  'a context that is destroyed': () => {
    const { evaluate, session } = attached();
    return async (count) => {
      session.context = count;
      await evaluate();
      session.emit('Runtime.executionContextDestroyed', { executionContextId: count });
    };
  },
  'a context of whose end nothing tells, emptied': () => {
    const { evaluate, dispose, session } = attached(NAMELESS);
    return async (count) => {
      session.context = count;
      await dispose(await evaluate());
      await turn(); // It is the context that was used last, still, as its last handle is released.
    };
  },
  [ONE_KEPT]: () => {
    const { evaluate, session } = attached();
    const kept = [];
    return async (count) => {
      session.context = count;
      const handles = await Promise.all(Array.from({ length: 20 }, () => evaluate()));
      if (kept.length < 10_000) kept.push(handles[10]);
      session.emit('Runtime.executionContextsCleared', {});
    };
  },
  'a flush that times out, while a command names what was dropped': () => {
    const { evaluate, dispose, session, releases } = attached(NAMELESS);
    session.hanging.add('DOM.describeNode');
    const isStuck = evaluate().then((handle) => {
      void session.send('DOM.describeNode', { objectId: handle.objectId });
      return dispose(handle);
    });
    return async () => {
      await isStuck;
      await releases.flush({ timeoutMs: 0 });
    };
  },
  'a flush that times out, while releases hang': () => {
    const { evaluate, dispose, session, releases } = attached({ ...NAMELESS, maxInFlightBatches: 1 });
    session.hanging.add('Runtime.releaseObject');
    const isStuck = Promise.all(Array.from({ length: 100 }, async () => dispose(await evaluate())));
    return async () => {
      await isStuck;
      await releases.flush({ timeoutMs: 0 });
    };
  },
  'a session that comes and goes': () => async () => {
    const session = new Session();
    attach(session, { ...PAGE, pressure: undefined });
    await session.send('Runtime.evaluate', { expression: '({})' });
    session.emit('close');
  },
  'an attachment that comes and goes': () => {
    const session = new Session();
    const { signal } = new AbortController();
    return async () => {
      const releases = attach(session, { ...PAGE, signal });
      await session.send('Runtime.evaluate', { expression: '({})' });
      releases.detach();
    };
  },
  'an attachment that is forgotten, with one signal for all': () => {
    const { signal } = new AbortController();
    return async () => {
      const session = new Session();
      attach(session, { ...PAGE, signal });
      await session.send('Runtime.evaluate', { expression: '({})' });
    };
  },
  'who listens to a signal, and is forgotten': () => {
    const { signal } = new AbortController();
    return async () => void onAbort(signal, {}, () => {});
  },
  'a flat session that comes and goes': () => {
    const client = new RemoteInterface();
    attachToRemoteInterface(client, { track: true, pressure: 0 });
    return async (count) => {
      const sessionId = `session-${count}`;
      client.event('Target.attachedToTarget', { sessionId, targetInfo: { type: 'page' } });
      await client.send('Runtime.evaluate', { expression: '({})' }, sessionId);
      client.event('Target.detachedFromTarget', { sessionId });
    };
  },
  'a command for a flat session that is over': () => {
    const client = new RemoteInterface();
    attachToRemoteInterface(client, { track: true, pressure: 0 });
    return async (count) => {
      const sessionId = `session-${count}`;
      client.gone.add(sessionId);
      await client.send('Runtime.evaluate', { expression: '({})' }, sessionId).catch(() => {});
      client.gone.delete(sessionId);
    };
  },
  "a session of a batcher's": () => {
    const batcher = new ReleaseBatcher();
    return async () => {
      batcher.release(new Session(), '-1.1.1');
      await batcher.flush();
    };
  },
  'a line of a page that logs': () => {
    const accounts = new LeakAccounts();
    for (let line = 1; line <= 3_000; line++) accounts.for(`before.js:${line}:1`, 'object', 'console');
    return async (count) => void accounts.for(`page.js:${count}:1`, 'object', 'console');
  },
  'a line of a session that is traced': () => {
    const { evaluate, dispose } = attached({ ...PAGE, traceLeaks: true });
    return async () => dispose(await evaluate());
  },
  "a frame of Puppeteer's": () => {
    const rules = new PuppeteerRules({ hold: () => () => {} });
    return async (id) => {
      rules.onEvent('Runtime.executionContextCreated', { context: { id, auxData: { isDefault: true } } });
      rules.onEvent('Runtime.executionContextDestroyed', { executionContextId: id });
    };
  },
  'a realm': () => {
    const origins = new RealmOrigins();
    return async (count) => {
      origins.onCreated(`realm-${count}`, { context: `context-${count}` });
      origins.onCreated(`worker-${count}`, { owners: [`realm-${count}`] });
      origins.onDestroyed(`worker-${count}`);
      if (count % 2 === 0) origins.onDestroyed(`realm-${count}`);
      else origins.onContextDestroyed(`context-${count}`);
    };
  },
  'a key of a session for threads': () => {
    const keys = new SessionKeys();
    return async () => {
      const session = {};
      keys.keyOf(session);
      keys.forget(session);
    };
  },
  'a flight': () => {
    const flights = new FlightGroup();
    return (count) => flights.run(count, async () => count);
  },
};

/** Runs what it is given in one scope, which is never over. */
function scopeForGood(releases) {
  let isOpen;
  const open = new Promise((resolve) => {
    isOpen = resolve;
  });
  let next;
  void releases.scope(async () => {
    isOpen();
    for (;;) {
      const { body, resolve, reject } = await new Promise((take) => {
        next = take;
      });
      await body().then(resolve, reject);
    }
  });
  return async (body) => {
    await open;
    while (next === undefined) await Promise.resolve();
    const take = next;
    next = undefined;
    return new Promise((resolve, reject) => take({ body, resolve, reject }));
  };
}

/**
 * Where nobody flushes: forgotten handles wait so long for others of their group before they are released, and what is
 * forgotten with them lives until then.
 */
const SETTLES_AFTER_MS = {
  'an attachment that is forgotten, with one signal for all': GRACE_OF_LIGHT_MS + 2 * LOOK_AT_WAITING_MS,
};

let count = 0;

async function drive(once, repetitions) {
  for (let done = 0; done < repetitions; done++) {
    await once(++count);
    if (done % 100 === 0) await turn();
  }
}

/** What was dropped is sent, and collected until a collection finds nothing more: what finalizers let go of is garbage of the next. */
async function heapUsed(settlesAfterMs = 0) {
  let before = Number.POSITIVE_INFINITY;
  if (settlesAfterMs > 0) {
    globalThis.gc(); // From here on they wait.
    await pause(settlesAfterMs);
  }
  for (let round = 0; round < 10; round++) {
    await drain();
    await turn();
    globalThis.gc();
    await turn();
    const used = process.memoryUsage().heapUsed;
    if (before - used < 2_000 && round >= 2) return Math.min(before, used);
    before = used;
  }
  return before;
}

/** Waits for what is queued, as long as it gets less: some scenarios have a browser that answers nothing. */
async function drain() {
  let before = Number.POSITIVE_INFINITY;
  while (current !== undefined && current.stats().queued < before) {
    before = current.stats().queued;
    await current.flush({ timeoutMs: 50 });
  }
}

const bytes = {};
for (const [name, start] of Object.entries(SCENARIOS)) {
  if (only !== undefined && !only.includes(name)) continue;
  current = undefined;
  const once = start();
  await drive(once, Math.min(times, 20_000));
  const before = await heapUsed(SETTLES_AFTER_MS[name]);
  await drive(once, times);
  bytes[name] = Math.round((10 * ((await heapUsed(SETTLES_AFTER_MS[name])) - before)) / times) / 10;
}
console.log(JSON.stringify(bytes, null, 1));
process.exit();
