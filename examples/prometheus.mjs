// The library's books for Prometheus, scraped over HTTP as it would.
import { createServer } from 'node:http';
import { collectWithPrometheus } from 'cdp-release-batcher/prometheus';
import { attach } from 'cdp-release-batcher/puppeteer';
import * as client from 'prom-client';
import { launch } from './launch.mjs';

const browser = await launch();
const releases = attach(browser);
const metrics = collectWithPrometheus(client, { main: releases });

const server = createServer(async (_request, response) => {
  response.setHeader('content-type', client.register.contentType).end(await client.register.metrics());
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const page = await browser.newPage();
const kept = await page.evaluateHandle(() => ({}));
for (let i = 0; i < 50; i++) await (await page.evaluateHandle(() => ({}))).dispose();
await releases.flush();

const scrape = async () => (await fetch(`http://127.0.0.1:${server.address().port}/metrics`)).text();
const text = await scrape();
console.log(text);
const again = await scrape(); // Read anew, not added up.

const expected = [
  'cdp_handles_minted_total{browser="main"} 51',
  'cdp_handles_ended_total{browser="main",outcome="released"} 50',
  'cdp_handles_live{browser="main"} 1',
];
process.exitCode = expected.every((line) => text.includes(line) && again.includes(line)) ? 0 : 1;
await kept.dispose();
metrics.stop();
server.close();
server.closeAllConnections();
await browser.close();
