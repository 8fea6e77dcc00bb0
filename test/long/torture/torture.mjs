// Everything that Puppeteer can do with handles, again and again on several pages side by side, while the garbage
// collector is driven mad: by V8's own switches, or by force around the protocol's messages. What it prints has to show
// not one id that was taken early. `without` takes a protection out of the library, to show that this would be seen.
//
//     node --expose-gc torture.mjs '{ "url": …, "operations": 1000, "pages": 4, "collectOneIn": 8, "seed": 1 }'
import { PerformanceObserver } from 'node:perf_hooks';
import puppeteer from 'puppeteer-core';
import { attach } from '../../../build/clients/puppeteer/index.js';
import { OTHER_USES, POINTED_USES } from '../../puppeteer/every-use.mjs';
import { WITHOUT } from './without.mjs';

const {
  url,
  operations,
  pages: pageCount,
  /** Of so many messages one, sent or answered, has a collection forced before it; 0: V8 has its own reasons. */
  collectOneIn,
  seed,
  without,
  options,
  /** Names of the uses that are made; all by default. */
  only,
  roundsADocument = 4,
} = JSON.parse(process.argv[2]);
const isMeant = ([name]) => only === undefined || only.includes(name);
const [pointedUses, otherUses] = [POINTED_USES.filter(isMeant), OTHER_USES.filter(isMeant)];
if (without !== undefined) WITHOUT[without]();

let collections = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === 4) collections++;
}).observe({ entryTypes: ['gc'] });

const launchOptions = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);
const browser = await puppeteer.launch({
  ...launchOptions,
  args: [...launchOptions.args, '--site-per-process'],
});
const releases = attach(browser, options);
const pages = await Promise.all(Array.from({ length: pageCount }, () => browser.newPage()));
// Collections take most of the time, and it may be shared with others: what is slow has not failed.
for (const page of pages) page.setDefaultTimeout(200_000);

let state = seed;
/** From 0 to 1; the same row for the same seed. */
function random() {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
}

let messages = 0;
const early = [];
const connection = pages[0]._client().connection();
/** Before a message is sent, and when its answer has come and before anybody has reacted to it. */
const collect = () => {
  messages++;
  if (collectOneIn > 0 && random() * collectOneIn < 1) globalThis.gc();
};
const { _rawSend: send } = connection;
connection._rawSend = (callbacks, method, params, ...rest) => {
  collect();
  return send.call(connection, callbacks, method, params, ...rest).then(
    (answer) => {
      collect();
      return answer;
    },
    (error) => {
      // Releases may name what is gone: it is gone either way.
      if (/Could not find object with given id/.test(error.message) && !method.includes('release')) {
        early.push(`${method} ${JSON.stringify(params).slice(0, 300)}`);
      }
      throw error;
    },
  );
};

const begunAt = performance.now();
let done = 0;
const failed = new Map();
const isOver = () => done >= operations || early.length > 0;
const use = async (page, [name, run]) => {
  if (isOver()) return;
  await run(page).catch((error) => {
    const message = `${name}: ${error.message}`;
    failed.set(message, (failed.get(message) ?? 0) + 1);
  });
  done++;
};

async function open(page, round) {
  await page.goto(`${url}/?${round}`);
  const created = new Promise((resolve) => page.once('workercreated', resolve));
  await page.evaluate('void (globalThis.worker = new Worker("/worker.js"))');
  await created;
}

async function workOn(page) {
  await page.exposeFunction('exposed', (argument) => argument);
  for (let round = 0; !isOver(); round++) {
    if (round % roundsADocument === 0) await open(page, round);
    await Promise.all(otherUses.map((each) => use(page, each)));
    // These need the screen, which one page has.
    if (page === pages[0]) for (const each of pointedUses) await use(page, each);
  }
}

await pages[0].bringToFront();
const working = Promise.allSettled(pages.map(workOn));
// Where a protection is missing, a page may wait for ever for what was taken from it.
const seen = new Promise((resolve) => {
  const timer = setInterval(() => {
    if (early.length === 0) return;
    clearInterval(timer);
    resolve([]);
  }, 50);
  timer.unref();
});
const outcomes = await Promise.race([working, seen]);
const errors = outcomes
  .filter(({ status }) => status === 'rejected')
  .map(({ reason }) => String(reason?.stack ?? reason));
if (early.length === 0) {
  do await releases.flush();
  while (releases.stats().queued + releases.stats().inFlight > 0);
}
console.log(
  JSON.stringify({
    ms: Math.round(performance.now() - begunAt),
    done,
    messages,
    collections,
    early,
    failed: [...failed],
    errors,
    stats: releases.stats(),
  }),
);
await browser.close();
process.exit();
