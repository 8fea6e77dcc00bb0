// What batching could win over WebDriver BiDi, and what the wire says of how it could be built: Firefox, driven by
// Puppeteer, releases handles as Puppeteer does, one `script.disown` each, and by arrays of them.
//   FIREFOX=/usr/bin/firefox-esr node --expose-gc bench/bidi/disown.mjs
import { setImmediate as nextTurn } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';

const MANY = 2_000;
const ROUNDS = 1;

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
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

const ways = {
  'await dispose() in a row': async (handles) => {
    for (const handle of handles) await handle.dispose();
  },
  'Promise.all(dispose)': (handles) => Promise.all(handles.map((handle) => handle.dispose())),
  'arrays of 64': (handles) => inArrays(handles, 64),
  'one array': (handles) => inArrays(handles, handles.length),
};
console.log(`${await browser.version()}, Node ${process.versions.node}, ${MANY} handles`);
for (let round = 0; round < ROUNDS; round++) {
  for (const [way, release] of Object.entries(ways)) {
    const handles = await mint(MANY);
    const before = commands['script.disown'] ?? 0;
    const cpu = process.cpuUsage();
    const start = performance.now();
    await release(handles);
    await barrier();
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const sent = commands['script.disown'] - before;
    const left = (await isKnown(handles[0].id)) === true ? 'still known' : 'gone';
    console.log(
      `${way}: ${wall.toFixed(0)} ms, ${((user + system) / MANY).toFixed(1)} µs of client CPU each, ${sent} commands, ${left}`,
    );
  }
}

// What the wire says of how it could be built.
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
