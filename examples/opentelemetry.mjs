// The library's books as OpenTelemetry metrics, exported for real: here into memory, where a scraper of yours has an
// OTLP exporter.
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { observeWithOpenTelemetry } from 'cdp-release-batcher/opentelemetry';
import { attach } from 'cdp-release-batcher/puppeteer';
import { launch } from './launch.mjs';

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
metrics.setGlobalMeterProvider(provider);

const browser = await launch();
const releases = attach(browser);
const stop = observeWithOpenTelemetry(metrics.getMeter('example'), releases, { browser: 'main' });

const page = await browser.newPage();
for (let i = 0; i < 50; i++) await (await page.evaluateHandle(() => ({}))).dispose();
await releases.flush();
await provider.forceFlush();

const exported = exporter
  .getMetrics()
  .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
const figures = {};
for (const { descriptor, dataPoints } of exported) {
  for (const { attributes, value } of dataPoints) {
    const { browser: _, ...own } = attributes;
    figures[[descriptor.name, ...Object.values(own)].join(' ')] = value;
    console.log(descriptor.name, attributes, value, descriptor.unit);
  }
}

process.exitCode =
  figures['cdp.handles.minted'] === 50 &&
  figures['cdp.handles.dropped disposed'] === 50 &&
  figures['cdp.handles.ended released'] === 50 &&
  figures['cdp.handles.live'] === 0
    ? 0
    : 1;
stop();
await provider.shutdown();
await browser.close();
