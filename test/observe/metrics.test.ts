// Every figure that a batcher's books have is told, by both exporters, once.
import { type Meter, metrics } from '@opentelemetry/api';
import * as promClient from 'prom-client';
import { expect, it } from 'vitest';
import { emptyStats } from '../../src/batcher/stats.ts';
import { COUNTERS, GAUGES } from '../../src/observe/metrics.ts';
import { observeWithOpenTelemetry } from '../../src/observe/opentelemetry.ts';
import { collectWithPrometheus } from '../../src/observe/prometheus.ts';

const STATS = [...COUNTERS, ...GAUGES].flatMap(({ stats }) => stats.map(([stat]) => stat));

it('no figure of a batcher’s is left out, none is told twice', () => {
  expect(STATS).toEqual(expect.arrayContaining(Object.keys(emptyStats())));
  expect(new Set(STATS).size).toBe(STATS.length);
});

it('two batchers are told apart in one scrape, and what they do not know is left out', async () => {
  const registry = new promClient.Registry();
  const stats = (live: number) => ({ stats: () => ({ ...emptyStats(), live }) });
  const names = collectWithPrometheus(promClient, { one: stats(1), two: stats(2) }, { registry });
  const text = await registry.metrics();
  expect(text).toContain('cdp_handles_live{source="one"} 1\ncdp_handles_live{source="two"} 2\n');
  expect(text).toContain('# TYPE cdp_handles_minted_total counter');
  expect(text).toContain('# TYPE cdp_page_heap_bytes gauge');
  expect(text).not.toMatch(/^cdp_page_heap_bytes.* \d/m);
  for (const name of names) expect(text).toContain(`# HELP ${name} `);
});

it('a real meter is one that can be handed over', () => {
  const meter: Meter = metrics.getMeter('test');
  const stop = observeWithOpenTelemetry(meter, { stats: () => emptyStats() });
  stop();
  stop();
});
