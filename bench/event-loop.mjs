/**
 * How long the event loop is held up by the library, where 100,000 handles end at once. Each scenario runs in turns
 * with its control, which does the same without the library, so that the machine's own noise is in view. Nothing but
 * this process is at work: the session answers from memory. Garbage collections are told apart, by what Node reports.
 *
 *     npm run build && node --expose-gc bench/event-loop.mjs [rounds] [handles]
 *
 * "held" is the longest time between two turns of the loop, less the collections in it, and less the script's own call
 * that sets it off, which is the "tick". Each is the least of all rounds, since another process can only lengthen it.
 * "delay" is what `monitorEventLoopDelay` has as its longest: collections, call and all.
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { attach } from '../dist/clients/puppeteer/index.js';
import { ReleaseBatcher } from '../dist/index.js';

const rounds = Number(process.argv[2] ?? 5);
const HANDLES = Number(process.argv[3] ?? 100_000);
const PROBE_MS = 1;
/** The target: a burst holds up the loop no longer than this. */
const MOST_HELD_MS = 10;

const collections = [];
const observer = new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    collections.push([startTime, startTime + duration]);
});
observer.observe({ entryTypes: ['gc'] });

/** Answers each command in the next turn, and knows nothing: a browser that costs nothing. */
class Session {
  #last = 0;
  #waiting = [];
  send(method) {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#answer());
      this.#waiting.push([method, resolve]);
    });
  }
  /** A few at a time, so that it is not the answers that hold the loop up. */
  #answer() {
    for (const [method, resolve] of this.#waiting.splice(0, 500)) {
      if (method !== 'Runtime.evaluate') resolve({});
      else resolve({ result: { type: 'object', objectId: `1.1.${++this.#last}` } });
    }
    if (this.#waiting.length > 0) setImmediate(() => this.#answer());
  }
  emit() {
    return true;
  }
  connection() {
    return { on() {}, off() {}, session: () => null };
  }
  id() {
    return '1';
  }
  target() {
    return { type: () => 'page' };
  }
}

async function mint(session, params, count = HANDLES) {
  const handles = [];
  while (handles.length < count) {
    const answers = Array.from({ length: 1_000 }, () => session.send('Runtime.evaluate', params));
    for (const { result } of await Promise.all(answers)) handles.push(result);
  }
  return handles;
}

/** Disposes of all handles of a session that answers no release until it is told to. */
async function fillQueue(session) {
  const handles = await mint(session);
  const { send } = session;
  const unanswered = [];
  let answers = false;
  session.send = (method, params) => {
    if (method !== 'Runtime.releaseObject' || answers) return send.call(session, method, params);
    return new Promise((resolve) => unanswered.push(resolve));
  };
  for (const { objectId } of handles) void session.send('Runtime.releaseObject', { objectId });
  for (let count = 0; count < 500; count++) await turn();
  return () => {
    answers = true;
    for (const resolve of unanswered) resolve({});
  };
}

const counting = new FinalizationRegistry(() => counted++);
let counted = 0;

/** Each makes ready, and gives what is measured. What it returns is waited for, and measured with it. */
const SCENARIOS = {
  'finalizers at once': {
    async prepare(session, releases) {
      let handles = await mint(session);
      // The control has a registry, too, with the cheapest callback there is.
      if (releases === undefined) for (const handle of handles) counting.register(handle);
      return () => {
        handles = undefined;
        globalThis.gc();
      };
    },
  },
  'finalizers of 20 attachments': {
    bare: true,
    async prepare(_session, _releases, isControl) {
      let handles = [];
      const attached = [];
      for (let count = 0; count < 20; count++) {
        const session = new Session();
        if (!isControl) attached.push(attach(session, { track: true }));
        handles.push(await mint(session, undefined, HANDLES / 20));
      }
      if (isControl) for (const handle of handles.flat()) counting.register(handle);
      return async () => {
        handles = undefined;
        globalThis.gc();
        await Promise.all(attached.map((releases) => releases.flush()));
        for (const releases of attached) releases.detach();
      };
    },
  },
  'disposals in one tick': {
    async prepare(session) {
      const handles = await mint(session);
      return () =>
        Promise.all(handles.map(({ objectId }) => session.send('Runtime.releaseObject', { objectId })));
    },
  },
  'the end of a context': {
    async prepare(session) {
      const handles = await mint(session);
      return () => {
        session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
        return handles;
      };
    },
  },
  'the end of a scope': {
    async prepare(session, releases) {
      let end;
      const ended = new Promise((resolve) => {
        end = resolve;
      });
      let handles;
      const minting = async () => {
        handles = await mint(session);
      };
      let scope;
      if (releases === undefined) await minting();
      else {
        const minted = new Promise((resolve) => {
          scope = releases.scope(async () => {
            await minting();
            resolve();
            await ended;
          });
        });
        await minted;
      }
      return async () => {
        end();
        await scope;
        return handles;
      };
    },
  },
  'a group of the user’s, released': {
    async prepare(session) {
      const handles = await mint(session, { objectGroup: 'mine' });
      return async () => {
        await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
        return handles;
      };
    },
  },
  'the end of a session with its queue': {
    options: { maxInFlightBatches: 1, groups: false },
    async prepare(session) {
      await fillQueue(session);
      return () => void session.emit(Symbol('CDPSession.Disconnected'));
    },
  },
  'the end of a context with its queue': {
    options: { maxInFlightBatches: 1, groups: false },
    async prepare(session) {
      const answerAll = await fillQueue(session);
      return () => {
        session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
        answerAll();
      };
    },
  },
  'a batcher’s releases in one tick': {
    bare: true,
    async prepare(session, _releases, isControl) {
      const batcher = new ReleaseBatcher();
      const ids = Array.from({ length: HANDLES }, (_, index) => `1.1.${index}`);
      return async () => {
        if (isControl) for (const objectId of ids) void session.send('Runtime.releaseObject', { objectId });
        else for (const id of ids) batcher.release(session, id);
        await batcher.flush();
      };
    },
  },
};

async function measure(scenario, isControl) {
  const session = new Session();
  const releases =
    isControl || scenario.bare ? undefined : attach(session, { track: true, ...scenario.options });
  const run = await scenario.prepare(session, releases, isControl);
  for (let count = 0; count < 3; count++) {
    globalThis.gc();
    await turn();
  }
  const delays = monitorEventLoopDelay({ resolution: PROBE_MS });
  delays.enable();
  const turns = [];
  let isOver = false;
  const note = () => {
    turns.push(performance.now());
    if (!isOver) setImmediate(note);
  };
  note();
  await turn();
  delays.reset();
  const begun = performance.now();
  const pending = run();
  const calledFor = performance.now() - begun;
  await pending;
  await releases?.flush();
  for (let count = 0; count < 50; count++) await turn();
  isOver = true;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delays.disable();
  await turn(); // The observer of collections is told late.
  // The call itself is the script's own tick: what it costs is shown apart.
  const called = begun + calledFor;
  const gaps = turns.slice(1).map((end, index) => {
    const start = turns[index];
    const hasCall = start <= begun && called <= end;
    return hasCall ? ownTime(start, begun) + ownTime(called, end) : ownTime(start, end);
  });
  releases?.detach();
  const tick = ownTime(begun, called);
  return { held: Math.max(...gaps), tick, delay: Math.max(0, delays.max / 1e6 - PROBE_MS) };
}

/** Milliseconds from one time to another, less those in which garbage was collected. */
function ownTime(from, to) {
  let own = to - from;
  for (const [start, end] of collections) own -= Math.max(0, Math.min(end, to) - Math.max(start, from));
  return own;
}

console.log(
  `${HANDLES.toLocaleString('en-US')} handles, least of ${rounds} rounds, in ms`.padEnd(44),
  '   held   control      tick   control     delay   control',
);
let isMissed = false;
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (process.env.ONLY !== undefined && !name.includes(process.env.ONLY)) continue;
  const results = { ours: [], control: [] };
  for (let round = 0; round < rounds; round++) {
    results.ours.push(await measure(scenario, false));
    results.control.push(await measure(scenario, true));
  }
  const least = (side, figure) => Math.min(...results[side].map((result) => result[figure]));
  const [held, control] = [least('ours', 'held'), least('control', 'held')];
  const missed = held - control > MOST_HELD_MS;
  isMissed ||= missed;
  console.log(
    name.padEnd(44),
    held.toFixed(1).padStart(7),
    control.toFixed(1).padStart(9),
    least('ours', 'tick').toFixed(1).padStart(9),
    least('control', 'tick').toFixed(1).padStart(9),
    least('ours', 'delay').toFixed(1).padStart(9),
    least('control', 'delay').toFixed(1).padStart(9),
    missed ? `  ${(held - control).toFixed(1)} ms of ours: more than ${MOST_HELD_MS}` : '',
  );
}
observer.disconnect();
process.exitCode = isMissed ? 1 : 0;
