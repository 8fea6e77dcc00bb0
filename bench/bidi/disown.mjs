// What batching wins over WebDriver BiDi, and what the wire says of what that rests on: Firefox, driven by Puppeteer,
// releases handles as Puppeteer does, one `script.disown` each; attached; and by arrays of them, by hand.
//   npm run build && FIREFOX_PATH=/usr/bin/firefox-esr node --expose-gc bench/bidi/disown.mjs
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer-core';

const MANY = 2_000;
const ROUNDS = 7;

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr',
});
const page = await browser.newPage();
const realm = page.mainFrame().mainRealm().realm; // Not public: the session below Puppeteer's handles.
const { session, target } = realm;

const commands = {};
const minted = [];
const { send } = session;
session.send = async (method, params) => {
  commands[method] = (commands[method] ?? 0) + 1;
  const answer = await send.call(session, method, params);
  minted.push(answer?.result?.result);
  return answer;
};

const mint = async (count) => {
  const list = await page.evaluateHandle(
    (length) => Array.from({ length }, (_, i) => ({ i, big: new Array(100).fill(0.5) })),
    count,
  );
  const handles = [];
  for (let index = 0; index < count; index++) {
    handles.push(await page.evaluateHandle((all, at) => all[at], list, index));
  }
  await list.dispose();
  return handles;
};
/** Whatever was sent before has been dealt with: one session's commands are answered in their order. */
const barrier = () => page.evaluate(() => 1);
const isKnown = (handle) =>
  send
    .call(session, 'script.callFunction', {
      functionDeclaration: '() => 1',
      awaitPromise: false,
      target,
      arguments: [{ handle }],
    })
    .then(
      () => true,
      (error) => String(error).split('\n')[0],
    );
const inArrays = async (handles, size) => {
  for (let at = 0; at < handles.length; at += size) {
    const ids = handles.slice(at, at + size).map((handle) => handle.id);
    void session.send('script.disown', { target, handles: ids });
  }
};

/** Puppeteer as it is. */
const plain = {
  'await dispose() in a row': async (handles) => {
    for (const handle of handles) await handle.dispose();
  },
  'Promise.all(dispose)': (handles) => Promise.all(handles.map((handle) => handle.dispose())),
};
/** By hand, past Puppeteer's handles: what the protocol has to give. */
const byHand = {
  'arrays of 64, by hand': (handles) => inArrays(handles, 64),
  'one array, by hand': (handles) => inArrays(handles, handles.length),
};

async function measure(way, handles, release) {
  const before = commands['script.disown'] ?? 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await release(handles);
  await barrier();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const left = (await isKnown(handles[0].id)) === true || (await isKnown(handles.at(-1).id)) === true;
  if (left) throw new Error(`${way}: still known`);
  return { wall, cpu: (user + system) / MANY, sent: (commands['script.disown'] ?? 0) - before };
}

async function measureAttached(way, release) {
  const releases = attach(browser);
  const handles = await mint(MANY);
  const { commands: before } = releases.stats();
  const result = await measure(way, handles, async () => {
    await release(handles);
    await releases.flush();
  });
  const { commands: after } = releases.stats();
  releases.detach();
  return { ...result, sent: after - before };
}

async function measureScope(way) {
  const releases = attach(browser);
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  let minted;
  const scope = new Promise((resolve) => (minted = resolve));
  const running = releases.scope(async () => {
    minted(await mint(MANY));
    await ended;
  });
  const handles = await scope;
  const { commands: before } = releases.stats();
  const result = await measure(way, handles, async () => {
    end();
    await running;
    await releases.flush();
  });
  const { commands: after } = releases.stats();
  releases.detach();
  return { ...result, sent: after - before };
}

const samples = new Map();
console.log(`${await browser.version()}, Node ${process.versions.node}, ${MANY} handles, ${ROUNDS} rounds`);
for (let round = 0; round < ROUNDS; round++) {
  for (const [way, release] of Object.entries(plain)) {
    note(`plain, ${way}`, await measure(way, await mint(MANY), release));
    note(`attached, ${way}`, await measureAttached(way, release));
  }
  note("attached, a scope's end", await measureScope('scope'));
  for (const [way, release] of Object.entries(byHand)) {
    note(way, await measure(way, await mint(MANY), release));
  }
}
function note(way, sample) {
  if (!samples.has(way)) samples.set(way, []);
  samples.get(way).push(sample);
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const base = samples.get('plain, Promise.all(dispose)');
for (const [way, list] of samples) {
  const wall = median(list.map((sample) => sample.wall));
  const ratio = list.map((sample, round) => base[round].wall / sample.wall).toSorted((a, b) => a - b);
  console.log(
    [
      `${way}: ${wall.toFixed(0)} ms`,
      `${median(list.map((sample) => sample.cpu)).toFixed(1)} µs of client CPU each`,
      `${median(list.map((sample) => sample.sent))} commands`,
      `${median(ratio).toFixed(1)} × as fast as plain Promise.all (${ratio[0].toFixed(1)} … ${ratio.at(-1).toFixed(1)})`,
    ].join(', '),
  );
}

// What the wire says of what this rests on.
const one = await page.evaluateHandle(() => ({}));
console.log('the handle holds the very object that came over the wire:', minted.at(-1) === one.remoteValue());
const known = one.id;
console.log('known:', await isKnown(known));
const thrown = await send.call(session, 'script.evaluate', {
  expression: 'throw {}',
  awaitPromise: true,
  target,
  resultOwnership: 'none',
});
console.log('thrown, resultOwnership none:', JSON.stringify(thrown.result.exceptionDetails.exception));
const thrownRoot = await send.call(session, 'script.evaluate', {
  expression: 'throw {}',
  awaitPromise: true,
  target,
  resultOwnership: 'root',
});
console.log('thrown, resultOwnership root:', JSON.stringify(thrownRoot.result.exceptionDetails.exception));
const twice = { functionDeclaration: '(o) => o', awaitPromise: false, target, resultOwnership: 'root' };
const again = await send.call(session, 'script.callFunction', { ...twice, arguments: [{ handle: known }] });
console.log('the same object again has the same handle:', again.result.result.handle === known);
await send.call(session, 'script.disown', { target, handles: [known] });
console.log('disowned, the second one is:', await isKnown(again.result.result.handle));
const mixed = await send
  .call(session, 'script.disown', { target, handles: ['no-such-handle', again.result.result.handle] })
  .then(
    () => 'accepted',
    (error) => String(error),
  );
console.log('an array with an unknown handle is:', mixed);
// Is the handle looked up when its call arrives, or may a disown sent right behind it take it away?
const answer = await page.evaluateHandle(() => ({ answer: 42 }));
const outcomes = [];
for (let count = 0; count < 200; count++) {
  const { handle } = (
    await send.call(session, 'script.callFunction', { ...twice, arguments: [{ handle: answer.id }] })
  ).result.result;
  const call = send.call(session, 'script.callFunction', { ...twice, arguments: [{ handle }] });
  const disown = send.call(session, 'script.disown', { target, handles: [handle] });
  outcomes.push(
    call.then(
      () => true,
      () => false,
    ),
    disown,
  );
}
const ok = (await Promise.all(outcomes)).filter((outcome) => outcome === true).length;
console.log(`of 200 calls with a disown of their argument right behind them, ${ok} succeeded`);

const handlesOf200 = [];
let collected = 0;
const registry = new FinalizationRegistry(() => collected++);
for (let count = 0; count < 200; count++) {
  await page.evaluateHandle(() => ({}));
  registry.register(minted.at(-1));
  handlesOf200.push(minted.at(-1).handle);
}
minted.length = 0;
for (let turn = 0; turn < 10; turn++) {
  globalThis.gc?.();
  await nextTurn();
}
const forgotten = handlesOf200.map((id) => isKnown(id));
const stillKnown = (await Promise.all(forgotten)).filter((known) => known === true).length;
console.log(
  `of 200 forgotten handles ${collected} were collected here, ${stillKnown} are known to Firefox still`,
);
await browser.close();
