// Ten pages that a script works on for hours: nine navigate in every round, from one site to another and back, and the
// tenth never does. After each round, all garbage collected, it prints what the process and that page are made of.
//
//     node --expose-gc soaking.mjs '{ "rounds": 12, "handlesPerVisit": 800, "leaks": [] }'
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import puppeteer from 'puppeteer-core';
import { attach } from '../../../build/clients/puppeteer/index.js';
import { HandleContext, HandleRecord, ObjectGroup } from '../../../build/handles/handle-table.js';
import { SessionLedger } from '../../../build/handles/session-ledger.js';

const { rounds, handlesPerVisit, leaks } = JSON.parse(process.argv[2]);
const PAGES = 10;
/** Of the handles of a visit, as many come one by one. */
const ONE_BY_ONE = 0.1;
const LIST_LENGTH = 100;

const DOCUMENT = `<iframe srcdoc="<p>framed"></iframe>${'<p>paragraph</p>'.repeat(20)}
  <script>worker = new Worker(URL.createObjectURL(new Blob(['onmessage = () => {}'])))</script>`;
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(DOCUMENT));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const ORIGINS = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const releases = attach(browser);
const pages = await Promise.all(Array.from({ length: PAGES }, () => browser.newPage()));
const [resident] = pages;
let messages = 0;
for (const page of pages) page.on('console', () => messages++);
await resident.goto(ORIGINS[0]);
const meter = await resident.createCDPSession();
const connection = meter.connection();
const Timeout = setTimeout(() => {}, 0).constructor;

/** What each leak of the control adds to a visit, or breaks. */
const leaked = [];
const LEAKS = {
  handles: async (page) => {
    for (let count = 0; count < handlesPerVisit / 10; count++) leaked.push(await page.evaluateHandle('({})'));
  },
  timers: () => {
    for (let count = 0; count < 5; count++) setInterval(() => {}, 1e6).unref();
  },
  listeners: () => connection.on('Target.attachedToTarget', () => {}),
  memory: () => leaked.push(Buffer.allocUnsafeSlow(2 ** 20).fill(1)),
  page: () =>
    resident.evaluate(() => {
      globalThis.leaked = [...(globalThis.leaked ?? []), new Array(20_000).fill(0.5)];
    }),
};
if (leaks.includes('records')) {
  const { letGo } = HandleRecord.prototype;
  HandleRecord.prototype.letGo = function () {
    // A record that has ended lets go of what it was in, so these leak beside it.
    leaked.push(this, this.context, this.context?.ledger);
    letGo.call(this);
  };
  const { remove } = ObjectGroup.prototype;
  ObjectGroup.prototype.remove = function (record) {
    leaked.push(this);
    remove.call(this, record);
  };
}

let navigations = 0;

async function visit(page, round, index) {
  if (page !== resident) {
    await page.goto(`${ORIGINS[(round + index) % 2]}/?${round}`);
    navigations++;
  }
  for (let count = 0; count < handlesPerVisit * ONE_BY_ONE; count++) {
    const handle = await page.evaluateHandle((value) => ({ value }), count);
    if (count % 4 === 0) void handle.dispose();
    if (count % 40 === 1) await page.evaluate(({ value }) => value, handle);
  }
  for (let minted = handlesPerVisit * ONE_BY_ONE; minted < handlesPerVisit; minted += LIST_LENGTH) {
    const list = await page.evaluateHandle((length) => Array.from({ length }, () => ({})), LIST_LENGTH);
    const members = await list.getProperties();
    if (minted % (3 * LIST_LENGTH) === 0) for (const member of members.values()) void member.dispose();
    await list.dispose();
  }
  await releases.scope(async () =>
    Promise.all((await page.$$('p')).map((p) => p.evaluate((node) => node.id))),
  );
  await page.evaluate(() => {
    for (let count = 0; count < 5; count++) console.log({ count });
  });
  await page
    .evaluate(() => {
      throw { thrown: new Error('on purpose') };
    })
    .catch(() => {});
  const [worker] = page.workers();
  for (let count = 0; count < 5; count++) await worker?.evaluateHandle(() => ({})).catch(() => {});
  await page
    .frames()[1]
    ?.$('p')
    .catch(() => {});
  for (const leak of leaks) await LEAKS[leak]?.(page);
}

/** Collects until nothing more is found, and everything found is answered. */
async function settle() {
  for (let quiet = 0; quiet < 2; ) {
    const { collected } = releases.stats();
    globalThis.gc();
    await turn();
    await turn();
    await releases.flush();
    quiet = releases.stats().collected === collected ? quiet + 1 : 0;
  }
}

const count = (type) => queryObjects(type, { format: 'count' });

async function look() {
  await settle();
  await meter.send('HeapProfiler.collectGarbage');
  const { usedSize } = await meter.send('Runtime.getHeapUsage');
  globalThis.gc();
  const { heapUsed, rss, arrayBuffers } = process.memoryUsage();
  const events = ['Target.attachedToTarget', 'sessionattached', 'sessiondetached'];
  const emitters = [connection, ...pages.map((page) => page._client())];
  const { minted, live, queued, inFlight } = releases.stats();
  return {
    minted,
    navigations,
    figures: {
      clientHeap: heapUsed,
      clientBuffers: arrayBuffers,
      clientRss: rss,
      pageHeap: usedSize,
      live: live + queued + inFlight,
      records: count(HandleRecord),
      groups: count(ObjectGroup),
      contexts: count(HandleContext),
      ledgers: count(SessionLedger),
      timers: count(Timeout),
      listeners: emitters
        .flatMap((emitter) => events.map((event) => emitter.listenerCount(event)))
        .reduce((a, b) => a + b, 0),
    },
  };
}

for (let round = 0; round < rounds; round++) {
  await Promise.all(pages.map((page, index) => visit(page, round, index)));
  console.log(JSON.stringify(await look()));
}
console.log(JSON.stringify({ stats: releases.stats(), messages }));
await browser.close();
server.close();
