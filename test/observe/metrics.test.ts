// Every figure that a batcher's books have is told, by both exporters, once; of sources that come and go.
import { readFileSync } from 'node:fs';
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

const source = (figures: Partial<ReturnType<typeof emptyStats>>, detached = false) => ({
  detached,
  stats: () => ({ ...emptyStats(), ...figures }),
});

it('two batchers are told apart in one scrape, and what they do not know is left out', async () => {
  const registry = new promClient.Registry();
  const { names } = collectWithPrometheus(
    promClient,
    { one: source({ live: 1 }), two: source({ live: 2 }) },
    { registry },
  );
  const text = await registry.metrics();
  expect(text).toContain('cdp_handles_live{browser="one"} 1\ncdp_handles_live{browser="two"} 2\n');
  expect(text).toContain('# TYPE cdp_handles_minted_total counter');
  expect(text).toContain('# TYPE cdp_page_heap_bytes gauge');
  expect(text).not.toMatch(/^cdp_page_heap_bytes.* \d/m);
  for (const name of names) expect(text).toContain(`# HELP ${name} `);
});

it('bytes are whole numbers', async () => {
  const registry = new promClient.Registry();
  const stats = () => ({ ...emptyStats(), chargedBytes: 16_012_295.816, pageBytes: 4_000.25 });
  collectWithPrometheus(promClient, { stats }, { registry });
  const text = await registry.metrics();
  expect(text).toContain('cdp_handles_charged_bytes 16012296\n');
  expect(text).toContain('cdp_page_heap_bytes 4000\n');
});

it('sources come and go, by as many calls as there are, and nothing is left of the last', async () => {
  const registry = new promClient.Registry();
  const first = collectWithPrometheus(promClient, source({ live: 1 }), { registry });
  const second = collectWithPrometheus(promClient, source({ live: 2 }), { registry, labels: { host: 'b' } });
  const remove = second.add('third', source({ live: 3 }));
  const live = async () => (await registry.metrics()).match(/^cdp_handles_live.*/gm) ?? [];
  expect(await live()).toEqual([
    'cdp_handles_live 1',
    'cdp_handles_live{host="b"} 2',
    'cdp_handles_live{host="b",browser="third"} 3',
  ]);
  remove();
  first.stop();
  first.stop();
  expect(await live()).toEqual(['cdp_handles_live{host="b"} 2']);
  second.stop();
  expect(registry.getMetricsAsArray()).toEqual([]);
  collectWithPrometheus(promClient, source({ live: 4 }), { registry });
  expect(await live()).toEqual(['cdp_handles_live 4']);
  registry.clear(); // As tests do.
  collectWithPrometheus(promClient, { again: source({ live: 5 }) }, { registry });
  expect(await live()).toContain('cdp_handles_live{browser="again"} 5');
});

it('a call that is refused leaves nothing behind', () => {
  const registry = new promClient.Registry();
  expect(() =>
    collectWithPrometheus(promClient, { good: source({}), bad: {} as never }, { registry }),
  ).toThrow('expected an attachment or a ReleaseBatcher');
  expect(registry.getMetricsAsArray()).toEqual([]);
});

it('where a browser is launched anew its counts go on, and what the dead one held is told no more', async () => {
  const registry = new promClient.Registry();
  let current: ReturnType<typeof source> | undefined = source({ minted: 10, released: 4, live: 6 });
  collectWithPrometheus(promClient, { main: () => current }, { registry });
  const told = async () =>
    (
      (await registry.metrics()).match(/^cdp_handles_(minted_total|live|ended_total).* [1-9]\d*$/gm) ?? []
    ).map((line) => line.replace('browser="main"', ''));
  expect(await told()).toEqual([
    'cdp_handles_minted_total{} 10',
    'cdp_handles_ended_total{,outcome="released"} 4',
    'cdp_handles_live{} 6',
  ]);
  current = source({ minted: 10, released: 4, live: 6 }, true); // Detached, with its browser.
  current = undefined;
  expect(await told()).toEqual([
    'cdp_handles_minted_total{} 10',
    'cdp_handles_ended_total{,outcome="released"} 4',
  ]);
  current = source({ minted: 3, live: 3 });
  expect(await told()).toEqual([
    'cdp_handles_minted_total{} 13',
    'cdp_handles_ended_total{,outcome="released"} 4',
    'cdp_handles_live{} 3',
  ]);
  current = source({ minted: 5, live: 2 }, true);
  expect(await told()).toEqual([
    'cdp_handles_minted_total{} 18',
    'cdp_handles_ended_total{,outcome="released"} 4',
  ]);
});

it('OpenTelemetry goes on counting alike', () => {
  const callbacks = new Map<string, (result: { observe(value: number): void }) => void>();
  const instrument = (name: string) => ({
    addCallback: (callback: never) => void callbacks.set(name, callback),
    removeCallback: () => void callbacks.delete(name),
  });
  let current = source({ minted: 10, live: 6 });
  const meter = { createObservableCounter: instrument, createObservableGauge: instrument };
  const stop = observeWithOpenTelemetry(meter, () => current);
  const told = (name: string) => {
    const values: number[] = [];
    callbacks.get(name)?.({ observe: (value) => void values.push(value) });
    return values;
  };
  expect([told('cdp.handles.minted'), told('cdp.handles.live')]).toEqual([[10], [6]]);
  current = source({ minted: 3, live: 1 });
  expect([told('cdp.handles.minted'), told('cdp.handles.live')]).toEqual([[13], [1]]);
  current = source({ minted: 3, live: 1 }, true);
  expect([told('cdp.handles.minted'), told('cdp.handles.live')]).toEqual([[16], []]);
  stop();
  expect(callbacks.size).toBe(0);
});

it('each query of the dashboard is of metrics and labels that are exported', async () => {
  const registry = new promClient.Registry();
  const all = Object.fromEntries(STATS.map((stat) => [stat, 1]));
  collectWithPrometheus(promClient, { main: { stats: () => all } }, { registry });
  const labels = new Map<string, Map<string, Set<string>>>();
  for (const [, name = '', pairs = ''] of (await registry.metrics()).matchAll(/^(cdp_\w+)\{(.*)\} \d+$/gm)) {
    const known = labels.get(name) ?? new Map<string, Set<string>>();
    labels.set(name, known);
    for (const [, label = '', value = ''] of pairs.matchAll(/(\w+)="(.*?)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  const dashboard = JSON.parse(
    readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8'),
  ) as { panels: { targets: { expr: string }[] }[] };
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const told = new Set<string>();
  for (const query of queries) {
    for (const [, name = '', selectors = ''] of query.matchAll(/\b(cdp_\w+)(?:\{(.*?)\})?/g)) {
      told.add(name);
      const known = labels.get(name);
      expect(known, `${name} in ${query}`).toBeDefined();
      for (const [, label = '', values = ''] of selectors.matchAll(/(\w+)=~?"(.*?)"/g)) {
        for (const value of values.split('|')) expect([...(known?.get(label) ?? [])], query).toContain(value);
      }
      const by = [...query.matchAll(/by \(([\w, ]+)\)/g)].flatMap(([, names = '']) => names.split(', '));
      for (const label of by) expect([...(known?.keys() ?? [])], query).toContain(label);
    }
  }
  expect(queries.length).toBeGreaterThan(5);
  expect(told.size).toBeGreaterThan(6);
});

it('a real meter is one that can be handed over', () => {
  const meter: Meter = metrics.getMeter('test');
  const stop = observeWithOpenTelemetry(meter, { stats: () => emptyStats() });
  stop();
  stop();
});

it('a registry that has one of the names already gets none of ours, and all when it has room', async () => {
  const registry = new promClient.Registry();
  const taken = new promClient.Gauge({ name: 'cdp_page_heap_bytes', help: 'taken', registers: [registry] });
  taken.set(1);
  const collect = () => collectWithPrometheus(promClient, source({ live: 1 }), { registry });
  expect(collect).toThrow('cdp_page_heap_bytes');
  expect(await registry.metrics()).not.toContain('cdp_handles_live');
  registry.clear();
  collect();
  expect(await registry.metrics()).toContain('cdp_handles_live 1\n');
});
