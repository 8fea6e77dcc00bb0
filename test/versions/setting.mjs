// Where the checks run: a Chromium launched by the Puppeteer in question, a site with a frame of another site, and this
// runtime's garbage collector. Nothing here may lean on what only Node has.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { withReleases } from 'cdp-release-batcher/puppeteer';
import { findBrowser, launchOptions } from '../../dist/cli/browser-finder.js';
import { inflateBundledChromium } from '../../dist/cli/bundled-chromium.js';

const BUNDLED = '@sparticuz/chromium';

/** The browser, what launches another that comes attached, and what closes all. */
export async function launchWith(name, browserName) {
  const module = await import(name);
  // CommonJS: some runtimes put the exports one level deeper.
  const puppeteer = module.default?.default ?? module.default;
  const options = await optionsFor(browserName);
  const opened = [];
  const launch = async (library) => {
    const browser = await (name === '@cloudflare/puppeteer'
      ? launchOnCloudflare(library, options, opened)
      : library.launch(options));
    opened.push(() => browser.close());
    return browser;
  };
  return {
    browser: await launch(puppeteer),
    wrap: () => launch(withReleases(puppeteer)),
    async close() {
      for (const end of opened.reverse()) await end();
    },
  };
}

async function optionsFor(browserName) {
  const found =
    browserName === BUNDLED
      ? { ...(await inflateBundledChromium()), source: BUNDLED }
      : await findBrowser({ env: { ...process.env, ...(browserName && { CHROME_PATH: browserName }) } });
  const options = launchOptions(found);
  return { ...options, args: [...options.args, '--site-per-process'] };
}

/** A worker's `launch` asks its binding for a WebSocket; this one leads to a Chromium here. */
async function launchOnCloudflare(cloudflare, options, opened) {
  const { default: puppeteer } = await import('puppeteer-core');
  const { WebSocket } = await import('ws');
  const chromium = await puppeteer.launch(options);
  opened.push(() => chromium.close());
  return cloudflare.launch({
    async fetch(_url, init) {
      if (init?.method === 'POST') return Response.json({ sessionId: 'local' });
      const webSocket = Object.assign(new WebSocket(chromium.wsEndpoint()), { accept() {} });
      await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject));
      return { webSocket };
    },
  });
}

export function describeRuntime(name) {
  const { version } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  const runtime =
    globalThis.Bun !== undefined
      ? `Bun ${globalThis.Bun.version}`
      : globalThis.Deno !== undefined
        ? `Deno ${globalThis.Deno.version.deno}`
        : `Node ${process.versions.node}`;
  return { runtime, puppeteer: `${name.replace(/-2\d$/, '')} ${version}` };
}

/** Collects garbage, turn after turn, until the condition holds; throws with its text and last value if it does not. */
export async function collectUntil(condition) {
  const collect = globalThis.Bun === undefined ? globalThis.gc : () => globalThis.Bun.gc(true);
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let attempt = 0; attempt < 200; attempt++) {
    collect();
    await sleep(attempt < 4 ? 0 : 40);
    if (await condition()) return;
  }
  throw new Error(`not so after 200 collections: ${String(condition).replace(/\s+/g, ' ')}`);
}

/** Serves `pages` by path to two sites, so that a frame of the other one has a process of its own. */
export async function openSite(pages) {
  const server = createServer((request, response) => {
    const type = request.url.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'content-type': type }).end(pages[request.url] ?? '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    here: `http://localhost:${port}`,
    elsewhere: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections?.();
    },
  };
}
