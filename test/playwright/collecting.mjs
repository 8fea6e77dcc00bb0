// Drives an attached Playwright through each way to hold a handle, with a collection forced right before each answer reaches
// the script and right after each call has left. Prints, by case, 'right' or what went wrong.
//   node --expose-gc test/playwright/collecting.mjs [operations] [--least]
// With a number, so many operations in random order follow, many of them at a time: answers that have come by the time of a
// collection share it, so that there is one before each answer and yet fewer than answers. SEED names another order.
import { attach } from 'cdp-release-batcher/playwright';
import { chromium } from 'playwright-core';

const PAGES = 4;
const AT_A_TIME_ON_A_PAGE = 16;

const browser = await chromium.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const connection = browser._connection;
const releases = attach(browser);
const results = {};
const failures = [];
process.on('uncaughtException', ({ message }) => failures.push(`uncaught: ${message}`));

const { dispatch, onmessage } = connection;
let collections = 0;
const collect = () => {
  collections++;
  globalThis.gc();
};

/** Milliseconds without another answer after which those that have come are delivered. */
const QUIET_MS = 4;
/** Answers that wait for a collection. */
let waiting = [];
let isDelivering = false;
let answers = 0;
connection.dispatch = (message) => {
  if (message.id === undefined) return dispatch.call(connection, message);
  waiting.push(message);
  if (!isDelivering) deliver();
};
function deliver() {
  isDelivering = true;
  const before = waiting.length;
  if (atATime === 1) return collectAndDeliver();
  setTimeout(() => (waiting.length > before ? deliver() : collectAndDeliver()), QUIET_MS);
}
function collectAndDeliver() {
  collect();
  // What a WeakRef was made of in this very turn is spared until the next: collected again. And a turn between the
  // collection and the answers: there the finalizers are.
  setImmediate(() => {
    const due = waiting;
    waiting = [];
    collect();
    setImmediate(() => {
      answers += due.length;
      for (const message of due) dispatch.call(connection, message);
      if (waiting.length > 0) deliver();
      else isDelivering = false;
    });
  });
}
let isCollecting = false;
connection.onmessage = (call) => {
  const sent = onmessage.call(connection, call);
  if (!isCollecting && !isDelivering) {
    isCollecting = true;
    setImmediate(() => {
      isCollecting = false;
      collect();
    });
  }
  return sent;
};

/** How many operations are under way. */
let atATime = 1;
let values = 0;
/** In the page; answered once another call, which is collected around as well, has made it go on. */
const later = async (object) => {
  globalThis.waiting ??= new Map();
  await new Promise((resolve) => globalThis.waiting.set(object.value, resolve));
  return object.value;
};
const goOn = async (value) => {
  // Whichever of the two calls comes first.
  while (!globalThis.waiting?.has(value)) await new Promise((resolve) => setTimeout(resolve));
  globalThis.waiting.get(value)();
  globalThis.waiting.delete(value);
};
function expectSame(actual, expected) {
  if (actual !== expected) throw new Error(`${actual} instead of ${expected}`);
}

/** The cases on one page, each by its name: how often it is done beside the others, and what it is. */
function casesOn(page) {
  const heldFromTheStart = [];
  let last = Promise.resolve();
  /** For what two on one page would mix up. */
  const alone = (body) => {
    const done = last.then(body);
    last = done.catch(() => {});
    return done;
  };
  const make = (value) => page.evaluateHandle((given) => ({ value: given }), value);
  const answerOf = async (call, value) => (await Promise.all([call, page.evaluate(goOn, value)]))[0];
  return {
    'a handle is used at once': [
      20,
      async (value) => expectSame((await (await make(value)).jsonValue()).value, value),
    ],
    'the target of a call that takes long': [
      10,
      async (value) => expectSame(await answerOf((await make(value)).evaluate(later), value), value),
    ],
    'an argument of a call that takes long': [
      10,
      async (value) => expectSame(await answerOf(page.evaluate(later, await make(value)), value), value),
    ],
    'an argument deep inside': [
      10,
      async (value) => {
        const given = { list: [{ handle: await make(value) }] };
        expectSame(await page.evaluate(({ list }) => list[0].handle.value, given), value);
      },
    ],
    'a child of a handle': [
      10,
      async (value) => {
        const parent = await page.evaluateHandle((given) => ({ a: { value: given } }), value);
        expectSame((await (await parent.getProperty('a')).jsonValue()).value, value);
        expectSame((await (await parent.getProperties()).get('a').jsonValue()).value, value);
      },
    ],
    'a handle of a handle': [
      10,
      async (value) => {
        const parent = await page.evaluateHandle((given) => ({ a: { value: given } }), value);
        expectSame((await (await parent.evaluateHandle(({ a }) => a)).jsonValue()).value, value);
      },
    ],
    elements: [
      10,
      async () => {
        const [, second] = await page.$$('b');
        expectSame(await second.textContent(), '2');
        expectSame(await (await page.waitForSelector('input')).evaluate(({ tagName }) => tagName), 'INPUT');
        expectSame(await (await page.$('b')).innerText(), '1');
      },
    ],
    'a frame of an element, and the element of a frame': [
      5,
      async () => {
        const frame = await (await page.$('iframe')).contentFrame();
        expectSame(await frame.locator('p').textContent(), 'in');
        expectSame(await (await frame.frameElement()).evaluate(({ tagName }) => tagName), 'IFRAME');
      },
    ],
    'what is waited for': [
      10,
      async (value) =>
        expectSame(
          (await (await page.waitForFunction((given) => ({ value: given }), value)).jsonValue()).value,
          value,
        ),
    ],
    'many at once': [
      5,
      async (value) => {
        const all = [1, 2, 3, 4].map((each) => value * each);
        const read = await Promise.all(all.map(async (each) => (await (await make(each)).jsonValue()).value));
        expectSame(read.join(), all.join());
      },
    ],
    'what is held for long': [
      5,
      async (value) => {
        heldFromTheStart.length > 3 || heldFromTheStart.push([await make(value), value]);
        const held = [];
        for (let each = 0; each < 3; each++) {
          held.push([await make(value + each), value + each]);
          for (const [handle, known] of [...heldFromTheStart, ...held])
            expectSame(await handle.evaluate((object) => object.value), known);
        }
        for (const [handle] of held) await handle.dispose();
      },
    ],
    'an argument of a console message': [
      5,
      async (value) => {
        const isOurs = (message) => message.text().startsWith(`${value} `);
        const [message] = await Promise.all([
          page.waitForEvent('console', isOurs),
          page.evaluate((given) => console.log(given, { value: given }), value),
        ]);
        expectSame((await message.args()[1].jsonValue()).value, value);
        const again = (await page.consoleMessages()).find(isOurs);
        expectSame((await again.args()[1].jsonValue()).value, value);
      },
    ],
    'an error, and a locator': [
      5,
      async (value) => {
        const error = await page
          .evaluate((given) => Promise.reject({ value: given }), value)
          .catch((thrown) => thrown);
        if (!(error instanceof Error)) throw new Error('it did not throw');
        await alone(() => page.locator('input').fill('text'));
        expectSame(await page.locator('input').evaluate((input) => input.tagName), 'INPUT');
      },
    ],
    'a popup': [
      1,
      (value) =>
        alone(async () => {
          const [opened] = await Promise.all([
            page.waitForEvent('popup'),
            page.evaluate(() => {
              window.open('about:blank');
            }),
          ]);
          const handle = await opened.evaluateHandle((given) => ({ value: given }), value);
          expectSame((await handle.jsonValue()).value, value);
          await opened.close();
        }),
    ],
  };
}

async function run(cases, name) {
  try {
    const [, operation] = cases[name];
    await operation(++values * 10);
    results[name] ??= 'right';
  } catch (error) {
    results[name] = String(error.message).split('\n')[0];
  }
}

async function openPage() {
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  await page.setContent('<b>1</b><b>2</b><input><iframe srcdoc="<p>in</p>"></iframe>');
  return casesOn(page);
}

/** What of a handle, a call or an answer these show is shown by another as well: without them with `--least`. */
const LIKE_OTHERS = ['many at once', 'what is waited for', 'a handle of a handle', 'an error, and a locator'];
const rest = process.argv.slice(2).filter((argument) => argument !== '--least');
const isLeast = rest.length < process.argv.length - 2;

const first = await openPage();
for (const name of Object.keys(first)) {
  if (!isLeast || !LIKE_OTHERS.includes(name)) await run(first, name);
}

const operations = Number(rest[0] ?? 0);
if (operations > 0) {
  let seed = Number(process.env.SEED ?? 20_261_128);
  const random = (below) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const names = Object.entries(first).flatMap(([name, [weight]]) =>
    Array.from({ length: weight }, () => name),
  );
  // A popup that closes takes along, in plain Chromium, what its opener's page was about to do: there it is alone.
  const besideOthers = names.filter((name) => name !== 'a popup');
  let left = operations;
  const goThrough = async (cases, these) => {
    while (left-- > 0) await run(cases, these[random(these.length)]);
  };
  const pages = [];
  while (pages.length < PAGES) pages.push(await openPage());
  atATime = PAGES * AT_A_TIME_ON_A_PAGE;
  const lanes = pages.flatMap((cases) =>
    Array.from({ length: AT_A_TIME_ON_A_PAGE }, () => goThrough(cases, besideOthers)),
  );
  await Promise.all([goThrough(first, names), ...lanes]);
}
connection.dispatch = dispatch;
connection.onmessage = onmessage;
const { collected } = releases.stats();
releases.detach();
await browser.close();
console.log(JSON.stringify({ results, failures, answers, collections, collected }));
