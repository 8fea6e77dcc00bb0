// The library's counters as OpenTelemetry metrics, exported to the console: a service of yours has an OTLP exporter there.
import { metrics } from '@opentelemetry/api';
import {
  ConsoleMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { observeWithOpenTelemetry } from 'cdp-release-batcher/opentelemetry';
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';

const reader = new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() });
const provider = new MeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(provider);

const browser = await puppeteer.launch();
const releases = attach(browser);
const stop = observeWithOpenTelemetry(metrics.getMeter('scraper'), releases, { browser: 'main' });

const page = await browser.newPage();
for (let i = 0; i < 50; i++) await (await page.evaluateHandle(() => ({}))).dispose();
await releases.flush();

await provider.shutdown(); // Exports once more.
stop();
await browser.close();
