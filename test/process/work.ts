// A little of everything, for processes of an unusual kind: handles forgotten, disposed, in a scope, moved, of errors
// and of the console. Counted, so that it comes to the same wherever it runs.

/** Source of `work(browser, attach)`. Wants `--expose-gc`, and closes the browser. */
export const WORK = `
  async function work(browser, attach) {
    const releases = attach(browser, { traceLeaks: true });
    const page = await browser.newPage();
    await page.setContent('<p>one<p>two<p>three');
    page.on('console', () => {});
    const kept = await page.evaluateHandle(() => ({ answer: 42 }));
    for (let count = 0; count < 100; count++) {
      const handle = await page.evaluateHandle(() => ({}));
      if (count % 2 === 0) await handle.dispose();
    }
    const texts = await releases.scope(async () =>
      Promise.all((await page.$$('p')).map((p) => p.evaluate((node) => node.textContent))));
    await page.evaluate(() => { console.log({ a: 1 }); });
    const thrown = await page.evaluate(() => { throw new Error('on purpose'); }).catch((error) => error.message);
    const deadline = Date.now() + 60_000;
    while (releases.stats().collected < 40 && Date.now() < deadline) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { complete } = await releases.flush();
    const stats = releases.stats();
    const { minted, live, released, gone, elided, failed, timedOut, dropped, queued, inFlight } = stats;
    const answer = await kept.evaluate((object) => object.answer);
    const hasLeaks = releases.leaks().length > 0;
    releases.detach();
    await browser.close();
    return {
      texts, thrown, answer, complete, failed, timedOut, dropped, hasLeaks,
      conserved: minted === live + released + gone + elided + failed + timedOut + dropped + queued + inFlight,
      collected: stats.collected >= 40, disposed: stats.disposed >= 50,
    };
  }
`;

export const WORK_DONE = {
  texts: ['one', 'two', 'three'],
  thrown: 'on purpose',
  answer: 42,
  complete: true,
  failed: 0,
  timedOut: 0,
  dropped: 0,
  hasLeaks: true,
  conserved: true,
  collected: true,
  disposed: true,
} as const;

/**
 * Source of `rawWork()`: the same with a session of a few lines over the browser's WebSocket, in place of Puppeteer.
 * Prints what it comes to.
 */
export const RAW_WORK = `
  import { spawn } from 'node:child_process';
  import { mkdtempSync, rmSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  import { join } from 'node:path';
  import WebSocket from 'ws';
  import { attach } from 'cdp-release-batcher/puppeteer';
  class Session {
    #id; #send;
    constructor(id, send) { this.#id = id; this.#send = send; }
    send(method, params) { return this.#send(method, params, this.#id); }
    emit() { return true; }
    connection() { return { on() {}, off() {}, session: () => null }; }
    id() { return this.#id; }
    target() { return { type: () => 'page' }; }
  }
  async function rawWork() {
    const profile = mkdtempSync(join(tmpdir(), 'raw-work-'));
    const { executablePath, args, env } = launchOptions;
    const browser = spawn(executablePath, [...args, '--headless', '--remote-debugging-port=0', '--user-data-dir=' + profile, 'about:blank'], { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    // In a group of its own, which goes with this process however it ends: behind a shell script, as Debian's is, stands the browser.
    process.on('exit', () => { try { process.kill(-browser.pid, 'SIGKILL'); } catch {} });
    const endpoint = await new Promise((resolve) => {
      let text = '';
      browser.stderr.on('data', (chunk) => {
        text += chunk;
        const found = /ws:\\S+/.exec(text);
        if (found) resolve(found[0]);
      });
    });
    const socket = new WebSocket(endpoint);
    await new Promise((resolve) => socket.once('open', resolve));
    const pending = new Map();
    let last = 0;
    const send = (method, params, sessionId) => {
      const id = ++last;
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
    };
    let session;
    socket.on('message', (data) => {
      const { id, result, error, method, params } = JSON.parse(data);
      if (id === undefined) return session?.emit(method, params);
      if (error) pending.get(id).reject(error); else pending.get(id).resolve(result);
      pending.delete(id);
    });
    const root = new Session(undefined, send);
    const { targetId } = await root.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: true });
    session = new Session(sessionId, send);
    const releases = attach(session, { track: true, traceLeaks: true });
    const mint = () => session.send('Runtime.evaluate', { expression: '({ answer: 42 })' });
    const kept = await mint();
    for (let count = 0; count < 100; count++) {
      const { result } = await mint();
      if (count % 2 === 0) await session.send('Runtime.releaseObject', { objectId: result.objectId });
    }
    const deadline = Date.now() + 60_000;
    while (releases.stats().collected < 40 && Date.now() < deadline) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { complete } = await releases.flush();
    const { objectId } = kept.result;
    const answer = await session.send('Runtime.callFunctionOn', { objectId, functionDeclaration: 'function () { return this.answer; }' });
    const { collected, disposed, failed, timedOut, dropped } = releases.stats();
    releases.detach();
    const exited = new Promise((resolve) => browser.once('exit', resolve));
    root.send('Browser.close').catch(() => {});
    await exited;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    console.log(JSON.stringify({ complete, answer: answer.result.value, collected: collected >= 40, disposed, failed, timedOut, dropped }));
  }
`;

export const RAW_WORK_DONE = {
  complete: true,
  answer: 42,
  collected: true,
  disposed: 50,
  failed: 0,
  timedOut: 0,
  dropped: 0,
} as const;
