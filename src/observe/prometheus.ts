/**
 * The books as Prometheus metrics, by `prom-client`'s hook: read when somebody scrapes, and at no other time.
 * Nothing is imported from `prom-client`: whichever version is handed over fits.
 */
import { COUNTERS, GAUGES, type Metric, type MetricsSource, readStats, requireSource } from './metrics.ts';

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers?: never[];
  collect(): void;
}

/** What is used of a counter or gauge. */
export interface PrometheusMetricLike {
  reset(): void;
  inc(labels: Record<string, string>, value: number): void;
}

/** What is used of `prom-client`. */
export interface PromClientLike {
  readonly Counter: new (options: never) => PrometheusMetricLike;
  readonly Gauge: new (options: never) => PrometheusMetricLike;
}

/** Where the metrics go, and what each figure carries. */
export interface CollectOptions {
  /** The registry to register with. Default: that of `prom-client` itself. */
  readonly registry?: { removeSingleMetric(name: string): void } | undefined;
  /** Go with each figure. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * Registers counters `cdp_…_total` and gauges `cdp_…` that tell of an attachment, or a batcher.
 *
 * @example
 * ```ts
 * import * as client from 'prom-client';
 * const metrics = collectWithPrometheus(client, releases);
 * ```
 * @returns the names registered.
 * @throws what `prom-client` throws for names that are registered already: give several sources to one call.
 */
export function collectWithPrometheus(
  client: PromClientLike,
  source: MetricsSource | Readonly<Record<string, MetricsSource>>,
  { registry, labels = {} }: CollectOptions = {},
): string[] {
  if (typeof client?.Counter !== 'function' || typeof client.Gauge !== 'function') {
    throw new TypeError(
      'collectWithPrometheus: the first argument must be prom-client, as imported by `import * as`',
    );
  }
  const sources = isSource(source) ? [[undefined, source] as const] : Object.entries(source ?? {});
  if (sources.length === 0) requireSource('collectWithPrometheus', source);
  for (const [, each] of sources) requireSource('collectWithPrometheus', each);
  const register = (
    Metric: new (options: never) => PrometheusMetricLike,
    { name: dotted, help, unit, stats }: Metric,
    suffix: string,
  ): string => {
    const name = `${dotted.replaceAll('.', '_')}${unit === 'By' ? '_bytes' : ''}${suffix}`;
    const own = stats.flatMap(([, attributes]) => Object.keys(attributes));
    const named = sources.some(([source]) => source !== undefined) ? ['source'] : [];
    const options: MetricOptions = {
      name,
      help,
      labelNames: [...new Set([...Object.keys(labels), ...named, ...own])],
      ...(registry === undefined ? {} : { registers: [registry as never] }),
      collect: () => {
        metric.reset();
        for (const [sourceName, each] of sources) {
          const figures = readStats(each);
          const all = sourceName === undefined ? labels : { ...labels, source: sourceName };
          for (const [stat, attributes] of stats) {
            const value = figures[stat];
            if (value !== undefined) metric.inc({ ...all, ...attributes }, value);
          }
        }
      },
    };
    const metric = new Metric(options as never);
    return name;
  };
  return [
    ...COUNTERS.map((metric) => register(client.Counter, metric, '_total')),
    ...GAUGES.map((metric) => register(client.Gauge, metric, '')),
  ];
}

function isSource(source: MetricsSource | Readonly<Record<string, MetricsSource>>): source is MetricsSource {
  return typeof (source as { stats?: unknown } | undefined)?.stats === 'function';
}

export type { MetricsSource } from './metrics.ts';
