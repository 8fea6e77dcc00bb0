// The checks themselves: each attaches, does one thing that scripts do, and asks the page, not the library, what is
// still alive. After each the books must balance, and `detach` leave the session as it was found.
import assert from 'node:assert/strict';
import { attach } from 'cdp-release-batcher/puppeteer';
import { collectUntil, openSite } from './setting.mjs';

const MANY = 50;

/** This Puppeteer has nothing that the check could be about. */
class NotThere extends Error {
  name = 'NotThere';
}

const INSTALL = `
  globalThis.made = [];
  globalThis.mk = () => {
    const object = { big: new Array(1000).fill(1) };
    made.push(new WeakRef(object));
    return object;
  };
  void 0`;

/** Counts in a realm what \`mk()\` made there; speaks by a session of its own, so it keeps nothing alive. */
class Census {
  #session;
  constructor(session) {
    this.#session = session;
  }
  static async open(session) {
    await session.send('Runtime.evaluate', { expression: INSTALL });
    return new Census(session);
  }
  async alive() {
    await this.#session.send('HeapProfiler.collectGarbage');
    const { result } = await this.#session.send('Runtime.evaluate', {
      expression: 'made.filter((reference) => reference.deref()).length',
      returnByValue: true,
    });
    return result.value;
  }
}

const HTML =
  '<div id="outer"><p>one</p><p>two</p></div><button onclick="console.log(\'clicked\')">push</button>';

/** A check with a page, its census and an attachment to the browser; and what is owed afterwards. */
function onPage(body, options = {}) {
  return async (browser) => {
    const page = await browser.newPage();
    try {
      await page.setContent(HTML);
      await page.evaluate(() => 1); // Puppeteer has set up what it needs.
      const client = page._client();
      const own = Reflect.ownKeys(client);
      const census = await Census.open(await page.createCDPSession());
      const releases = attach(browser, options);
      try {
        await body({ browser, page, census, releases, client });
        await settle(releases);
      } finally {
        releases.detach();
      }
      assert.deepEqual(Reflect.ownKeys(client), own, 'own properties of the session after detach');
    } finally {
      await page.close();
    }
  };
}

/** All that was dropped is answered, and each handle is accounted for. */
async function settle(releases) {
  for (let stats = releases.stats(), turn = 0; turn === 0 || stats.queued + stats.inFlight > 0; turn++) {
    assert.ok(turn < 50, 'flush leaves nothing on its way');
    const report = await releases.flush({ timeoutMs: 60_000 });
    assert.ok(report.complete, 'flush is complete');
    stats = releases.stats();
  }
  const stats = releases.stats();
  const { minted, live, released, gone, elided, failed, timedOut, dropped } = stats;
  assert.equal(live + released + gone + elided + failed + timedOut + dropped, minted, 'the books balance');
  assert.equal(failed + timedOut + dropped, 0, 'nothing failed');
}

async function forget(realm) {
  for (let count = 0; count < MANY; count++) await realm.evaluateHandle(() => mk());
}

/** What was forgotten is found, and let go by the page. */
async function expectCollected({ releases, census }) {
  await expectAllReleased({ releases, census });
  assert.ok(releases.stats().collected >= MANY, 'by collection');
}

async function expectAllReleased({ releases, census }) {
  let alive;
  await collectUntil(async () => {
    await settle(releases);
    alive = await census.alive();
    return alive === 0;
  }).catch((cause) => assert.fail(`${alive} objects stay alive in the page: ${cause.message}`));
}

/** In a function of its own, since a suspended one holds what its blocks have left. */
async function keepSome(page) {
  const kept = [];
  for (let count = 0; count < MANY; count++) {
    const handle = await page.evaluateHandle(() => mk());
    if (count % 10 === 0) kept.push(handle);
  }
  return kept;
}

const expectAlive = async (census, expected) =>
  assert.equal(await census.alive(), expected, `${await census.alive()} objects alive, not ${expected}`);

const makeAll = (page) => Promise.all(Array.from({ length: MANY }, () => page.evaluateHandle(() => mk())));

export const checks = {
  'attach and mint': onPage(async ({ browser, page, releases }) => {
    assert.equal(attach(browser), releases, 'one attachment a browser');
    assert.equal(attach(page), releases, 'which covers its pages');
    for (let time = 0; time < 2; time++) releases.detach(); // What these two took.
    assert.equal(releases.detached, false);
    const { minted } = releases.stats();
    const handle = await page.evaluateHandle(() => ({ answer: 42 }));
    assert.equal(releases.stats().minted, minted + 1);
    assert.equal(await handle.evaluate((object) => object.answer), 42);
    await handle.dispose();
  }),

  'forget and collect': onPage(async ({ page, census, releases }) => {
    await forget(page);
    await expectCollected({ releases, census });
  }),

  'keep what is held': onPage(async ({ page, census, releases }) => {
    const kept = await keepSome(page);
    await collectUntil(async () => {
      await settle(releases);
      return (await census.alive()) === kept.length;
    });
    for (const handle of kept) assert.equal(await handle.evaluate((object) => object.big.length), 1_000);
    await Promise.all(kept.map((handle) => handle.dispose()));
    await settle(releases);
    await expectAlive(census, 0);
  }),

  'dispose by batch': onPage(async ({ page, census, releases }) => {
    const handles = await makeAll(page);
    const { commands } = releases.stats();
    await Promise.all(handles.map((handle) => handle.dispose()));
    await settle(releases);
    await expectAlive(census, 0);
    const sent = releases.stats().commands - commands;
    assert.ok(sent <= 5, `${sent} commands for ${MANY} handles`);
    assert.ok(handles.every((handle) => handle.disposed));
  }),

  'release id by id': onPage(
    async ({ page, census, releases }) => {
      const handles = await makeAll(page);
      for (const handle of handles) await handle.dispose();
      await settle(releases);
      await expectAlive(census, 0);
      assert.equal(releases.stats().groupCommands, 0);
    },
    { groups: false },
  ),

  scope: onPage(async ({ page, census, releases }) => {
    const before = releases.stats();
    const escaped = await releases.scope(async () => {
      const [first] = await makeAll(page);
      return releases.escape(first);
    });
    await settle(releases);
    await expectAlive(census, 1);
    assert.equal(await escaped.evaluate((object) => object.big.length), 1_000);
    await releases.scope(() => makeAll(page));
    await settle(releases);
    await expectAlive(census, 1);
    assert.ok(releases.stats().groupCommands > before.groupCommands, 'by whole groups');
    await escaped.dispose();
  }),

  'thrown errors': onPage(async ({ page, census, releases }) => {
    for (let count = 0; count < MANY; count++) {
      await page.evaluate(() => Promise.reject(mk())).then(assert.fail, () => {});
      await page
        .evaluate(() => {
          throw mk();
        })
        .then(assert.fail, () => {});
    }
    await expectAllReleased({ releases, census });
  }),

  'console arguments': onPage(
    async ({ page, census, releases }) => {
      let messages = 0;
      page.on('console', () => messages++);
      await page.evaluate(() => console.log('probe'));
      await page.evaluate(() => 1);
      if (messages === 0) throw new NotThere('no console message arrives, attached or not');
      for (let count = 0; count < MANY; count++) await page.evaluate(() => console.log(mk()));
      await expectCollected({ releases, census });
      assert.equal(messages, MANY + 1, 'messages arrived');
    },
    { consoleEntries: 'discard' },
  ),

  queries: onPage(async ({ page }) => {
    for (let round = 0; round < 3; round++) {
      assert.equal((await page.$$('p')).length, 2);
      assert.equal(await page.$$eval('p', (all) => all.length), 2);
      const outer = await page.waitForSelector('#outer');
      assert.equal(await (await outer.$('p')).evaluate((node) => node.textContent), 'one');
      assert.notEqual(await page.$('::-p-aria(push)'), null);
      await collectUntil(() => true);
    }
  }),

  'what a click did is there': onPage(async ({ page }) => {
    let messages = 0;
    page.on('console', () => messages++);
    await page.evaluate(() => console.log('probe'));
    await page.evaluate(() => 1);
    if (messages === 0) throw new NotThere('no console message arrives, attached or not');
    for (let count = 1; count <= 5; count++) {
      await page.click('button');
      assert.equal(messages, count + 1, 'messages when click() has returned');
    }
  }),

  'a frame in a process of its own': async (browser) => {
    const site = await openSite({ '/frame': '<p>frame</p>' });
    try {
      await onPage(async ({ page, releases }) => {
        await page.goto(`${site.here}/`);
        const src = `${site.elsewhere}/frame`;
        await page.evaluate((url) => {
          document.body.append(Object.assign(document.createElement('iframe'), { src: url }));
        }, src);
        await collectUntil(() => page.frames().some((frame) => frame.url() === src));
        const frame = page.frames().find((candidate) => candidate.url() === src);
        await frame.waitForSelector('p');
        const client = typeof frame.client === 'object' ? frame.client : frame._client();
        assert.notEqual(client, page._client(), 'a session of its own');
        const census = await Census.open(client);
        await forget(frame);
        await expectCollected({ releases, census });
      })(browser);
    } finally {
      site.close();
    }
  },

  'a worker': async (browser) => {
    const site = await openSite({ '/worker.js': INSTALL });
    try {
      await onPage(async ({ page, releases }) => {
        await page.goto(`${site.here}/`);
        await page.evaluate(() => {
          globalThis.worker = new Worker('/worker.js');
        });
        await collectUntil(() => page.workers().length > 0);
        const [worker] = page.workers();
        await collectUntil(() => worker.evaluate("typeof mk === 'function'"));
        await forget(worker);
        // The session that Puppeteer has with the worker is the only one that there can be.
        await expectCollected({ releases, census: new Census(worker.client ?? worker._client) });
      })(browser);
    } finally {
      site.close();
    }
  },

  'withReleases launches attached': async (_browser, wrap) => {
    const browser = await wrap();
    const page = await browser.newPage();
    await page.evaluateHandle(() => ({}));
    assert.ok(attach(browser).stats().minted > 0, 'minted before anybody called attach');
    await page.close();
  },

  'an end without waiting': onPage(async ({ page, releases }) => {
    const handles = await makeAll(page);
    for (const handle of handles) void handle.dispose();
    const report = await releases.flush({ timeoutMs: 60_000 });
    assert.ok(report.complete);
    await page.goto('about:blank'); // What it held is gone, and need not be released.
  }),
};
