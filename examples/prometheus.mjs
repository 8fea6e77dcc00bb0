// The library's counters for Prometheus, which scrapes them over HTTP. Ends with Ctrl+C, or SIGTERM.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { collectWithPrometheus } from 'cdp-release-batcher/prometheus';
import { attach } from 'cdp-release-batcher/puppeteer';
import * as client from 'prom-client';
import puppeteer from 'puppeteer';

// Before anything that has to be closed.
const told = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);

const browser = await puppeteer.launch({ handleSIGINT: false, handleSIGTERM: false });
const releases = attach(browser);
const metrics = collectWithPrometheus(client, { main: releases });

const server = createServer(async (_request, response) => {
  response.setHeader('content-type', client.register.contentType).end(await client.register.metrics());
});
server.listen(Number(process.env.PORT ?? 9400), '127.0.0.1');
await once(server, 'listening');
console.log(`metrics at http://127.0.0.1:${server.address().port}/metrics`);

const page = await browser.newPage();
const kept = await page.evaluateHandle(() => ({}));
for (let i = 0; i < 50; i++) await (await page.evaluateHandle(() => ({}))).dispose();

await told;
await kept.dispose();
metrics.stop();
server.close();
server.closeAllConnections();
await browser.close();
