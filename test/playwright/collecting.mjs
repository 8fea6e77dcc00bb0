// Drives an attached Playwright through each way to hold a handle, with a collection forced right before each answer reaches
// the script and right after each call has left. Prints, by case, 'right' or what went wrong.
//   node --expose-gc test/playwright/collecting.mjs [operations [oneIn]]
// With a number, so many operations in random order follow, with a collection before one in 8 messages, or as many as the
// second number says; SEED names another order.
import { attach } from 'cdp-release-batcher/playwright';
import { chromium } from 'playwright-core';

const browser = await chromium.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const connection = browser._connection;
const releases = attach(browser);
const page = await browser.newPage();
await page.setContent('<b>1</b><b>2</b><input><iframe srcdoc="<p>in</p>"></iframe>');
const results = {};
const failures = [];
process.on('uncaughtException', ({ message }) => failures.push(`uncaught: ${message}`));

const { dispatch, onmessage } = connection;
let oneIn = 1;
let messages = 0;
const isDue = () => ++messages % oneIn === 0;
connection.dispatch = (message) => {
  if (message.id === undefined || !isDue()) return dispatch.call(connection, message);
  globalThis.gc();
  // What a WeakRef was made of in this very turn is spared until the next: collected again. And a turn between the
  // collection and the answer: there the finalizers are.
  setImmediate(() => {
    globalThis.gc();
    setImmediate(() => dispatch.call(connection, message));
  });
};
connection.onmessage = (call) => {
  const sent = onmessage.call(connection, call);
  if (isDue()) setImmediate(() => globalThis.gc());
  return sent;
};

const make = (value) => page.evaluateHandle((given) => ({ value: given }), value);
/** In the page; answered once another call, which is collected around as well, has made it go on. */
const later = async (object) => {
  await new Promise((resolve) => {
    globalThis.goOn = resolve;
  });
  return object.value;
};
const goOn = async () => {
  // Whichever of the two calls comes first.
  while (globalThis.goOn === undefined) await new Promise((resolve) => setTimeout(resolve));
  globalThis.goOn();
  globalThis.goOn = undefined;
};
const answerOf = async (call) => (await Promise.all([call, page.evaluate(goOn)]))[0];
function expectSame(actual, expected) {
  if (actual !== expected) throw new Error(`${actual} instead of ${expected}`);
}

const kept = [];
const CASES = {
  'a handle is used at once': async () => expectSame((await (await make(1)).jsonValue()).value, 1),
  'the target of a call that takes long': async () =>
    expectSame(await answerOf((await make(2)).evaluate(later)), 2),
  'an argument of a call that takes long': async () =>
    expectSame(await answerOf(page.evaluate(later, await make(3))), 3),
  'an argument deep inside': async () => {
    const given = { list: [{ handle: await make(4) }] };
    expectSame(await page.evaluate(({ list }) => list[0].handle.value, given), 4);
  },
  'a child of a handle': async () => {
    const parent = await page.evaluateHandle(() => ({ a: { value: 5 } }));
    expectSame((await (await parent.getProperty('a')).jsonValue()).value, 5);
    expectSame((await (await parent.getProperties()).get('a').jsonValue()).value, 5);
  },
  'a handle of a handle': async () => {
    const parent = await page.evaluateHandle(() => ({ a: { value: 6 } }));
    expectSame((await (await parent.evaluateHandle(({ a }) => a)).jsonValue()).value, 6);
  },
  elements: async () => {
    const [, second] = await page.$$('b');
    expectSame(await second.textContent(), '2');
    expectSame(await (await page.waitForSelector('input')).evaluate(({ tagName }) => tagName), 'INPUT');
    expectSame(await (await page.$('b')).innerText(), '1');
  },
  'a frame of an element, and the element of a frame': async () => {
    const frame = await (await page.$('iframe')).contentFrame();
    expectSame(await frame.locator('p').textContent(), 'in');
    expectSame(await (await frame.frameElement()).evaluate(({ tagName }) => tagName), 'IFRAME');
  },
  'what is waited for': async () =>
    expectSame((await (await page.waitForFunction(() => ({ value: 7 }))).jsonValue()).value, 7),
  'many at once': async () => {
    const values = await Promise.all([1, 2, 3, 4].map(async (value) => (await make(value)).jsonValue()));
    expectSame(values.map(({ value }) => value).join(), '1,2,3,4');
  },
  'what is held for long': async () => {
    const value = kept.length;
    kept.push(await make(value));
    for (const [index, handle] of kept.entries())
      expectSame(await handle.evaluate((object) => object.value), index);
    if (kept.length > 4) for (const handle of kept.splice(0)) await handle.dispose();
  },
  'an argument of a console message': async () => {
    const [message] = await Promise.all([
      page.waitForEvent('console'),
      page.evaluate(() => console.log({ value: 8 })),
    ]);
    expectSame((await message.args()[0].jsonValue()).value, 8);
    const [again] = (await page.consoleMessages()).slice(-1);
    expectSame((await again.args()[0].jsonValue()).value, 8);
  },
  'an error, and a locator': async () => {
    const error = await page.evaluate(() => Promise.reject({ value: 9 })).catch((thrown) => thrown);
    if (!(error instanceof Error)) throw new Error('it did not throw');
    await page.locator('input').fill('text');
    expectSame(await page.locator('input').evaluate(({ value }) => value), 'text');
  },
  'a popup': async () => {
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => {
        window.open('about:blank');
      }),
    ]);
    expectSame((await (await popup.evaluateHandle(() => ({ value: 10 }))).jsonValue()).value, 10);
    await popup.close();
  },
};

async function run(name) {
  try {
    await CASES[name]();
    results[name] ??= 'right';
  } catch (error) {
    results[name] = String(error.message).split('\n')[0];
  }
}

for (const name of Object.keys(CASES)) await run(name);

let seed = Number(process.env.SEED ?? 20_261_128);
const random = (below) => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return (seed >> 8) % below;
};
oneIn = Number(process.argv[3] ?? 8);
for (let operation = 0; operation < Number(process.argv[2] ?? 0); operation++) {
  await run(Object.keys(CASES)[random(Object.keys(CASES).length)]);
}
connection.dispatch = dispatch;
connection.onmessage = onmessage;
kept.length = 0;
const { collected } = releases.stats();
releases.detach();
await browser.close();
console.log(JSON.stringify({ results, failures, hasCollected: collected > 0 }));
