/**
 * The counts as Prometheus metrics, by `prom-client`'s hook. They are read when the registry is scraped. Nothing is
 * imported from `prom-client`: any version fits.
 *
 * Invariant: a registry has each metric once, however many collections report their sources to it, and none without a
 * collection.
 */
import { COUNTERS, GAUGES, type GivenSource, type Metric, requireSource, SourceFigures } from './metrics.ts';

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: never[];
  collect(): void;
}

/** The part of a counter or gauge that is used. */
export interface PrometheusMetricLike {
  reset(): void;
  inc(labels: Record<string, string>, value: number): void;
}

/** The part of a registry that is used. */
export interface PrometheusRegistryLike {
  removeSingleMetric(name: string): void;
  getSingleMetric?(name: string): unknown;
}

/** The part of `prom-client` that is used. */
export interface PromClientLike {
  readonly Counter: new (options: never) => PrometheusMetricLike;
  readonly Gauge: new (options: never) => PrometheusMetricLike;
  readonly register: PrometheusRegistryLike;
}

/** The registry and the labels of the metrics. */
export interface CollectOptions {
  /** The registry to register with. Default: that of `prom-client` itself. */
  readonly registry?: PrometheusRegistryLike | undefined;
  /** Labels of each figure. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What `collectWithPrometheus` returns. */
export interface PrometheusCollection {
  /** The names of the metrics. */
  readonly names: readonly string[];
  /** Adds another source, with its own `browser` label. @returns removes it again. */
  add(browser: string, source: GivenSource): () => void;
  /** Removes its sources. With the last collection of a registry its metrics are removed too. */
  stop(): void;
}

/**
 * Reports attachments, or batchers, as counters `cdp_…_total` and gauges `cdp_…`. May be called again for further sources.
 *
 * @example
 * ```ts
 * import * as client from 'prom-client';
 * const metrics = collectWithPrometheus(client, { search: releases, crawl: () => releasesOfNow });
 * metrics.stop();
 * ```
 * @param source an attachment, a batcher, or a function that gives the present one. Where a browser is launched anew,
 * counters go on from where the last one ended. Or several by name; the name is the label `browser`.
 */
export function collectWithPrometheus(
  client: PromClientLike,
  source: GivenSource | Readonly<Record<string, GivenSource>>,
  { registry, labels = {} }: CollectOptions = {},
): PrometheusCollection {
  if (typeof client?.Counter !== 'function' || typeof client.Gauge !== 'function') {
    throw new TypeError(
      'collectWithPrometheus: the first argument must be prom-client, as imported by `import * as`',
    );
  }
  const isOne = typeof source === 'function' || isSource(source);
  if (!isOne && (typeof source !== 'object' || source === null)) requireSource(CALLER, source);
  if (!isOne) {
    for (const given of Object.values(source)) if (typeof given !== 'function') requireSource(CALLER, given);
  }
  const metrics = metricsOf(client, registry ?? client.register);
  const own = new Set<Told>();
  const add = (given: GivenSource, itsLabels: Readonly<Record<string, string>>): (() => void) => {
    const told = { labels: itsLabels, figures: new SourceFigures(CALLER, given) };
    own.add(told);
    metrics.add(told);
    return () => {
      if (own.delete(told)) metrics.remove(told);
    };
  };
  const stop = (): void => {
    for (const told of own) metrics.remove(told);
    own.clear();
  };
  try {
    if (isOne) add(source, labels);
    else for (const [browser, each] of Object.entries(source)) add(each, { ...labels, browser });
  } catch (error) {
    stop();
    throw error;
  }
  return { names: NAMES, add: (browser, given) => add(given, { ...labels, browser }), stop };
}

const CALLER = 'collectWithPrometheus';

/** One source, and the labels of its figures. */
interface Told {
  readonly labels: Readonly<Record<string, string>>;
  readonly figures: SourceFigures;
}

const METRICS = [
  ...COUNTERS.map((metric) => ({ metric, kind: 'Counter', name: nameOf(metric, '_total') }) as const),
  ...GAUGES.map((metric) => ({ metric, kind: 'Gauge', name: nameOf(metric, '') }) as const),
];
const NAMES: readonly string[] = METRICS.map(({ name }) => name);

function nameOf({ name, unit }: Metric, suffix: string): string {
  return `${name.replaceAll('.', '_')}${unit === 'By' ? '_bytes' : ''}${suffix}`;
}

const ofRegistries = new WeakMap<PrometheusRegistryLike, RegistryMetrics>();

function metricsOf(client: PromClientLike, registry: PrometheusRegistryLike): RegistryMetrics {
  const metrics = ofRegistries.get(registry) ?? new RegistryMetrics(client, registry);
  ofRegistries.set(registry, metrics);
  return metrics;
}

/** The metrics of one registry, and all sources that report to it. */
class RegistryMetrics {
  readonly #client: PromClientLike;
  readonly #registry: PrometheusRegistryLike;
  readonly #sources = new Set<Told>();
  /** `undefined` while nothing is registered. */
  #labelNames: ReadonlySet<string> | undefined;

  constructor(client: PromClientLike, registry: PrometheusRegistryLike) {
    this.#client = client;
    this.#registry = registry;
  }

  add(told: Told): void {
    this.#sources.add(told);
    const [first = ''] = NAMES;
    // The registry may have been cleared.
    const isThere = this.#registry.getSingleMetric?.(first) !== undefined;
    const before = isThere ? this.#labelNames : undefined;
    const names = new Set([...(this.#labelNames ?? []), ...Object.keys(told.labels)]);
    if (before?.size === names.size) return;
    if (before !== undefined) this.#unregister(); // A metric's label names are fixed when it is made.
    for (const { metric, kind, name } of METRICS)
      this.#register(metric, this.#client[kind], name, [...names]);
    this.#labelNames = names;
  }

  remove(told: Told): void {
    if (this.#sources.delete(told) && this.#sources.size === 0) this.#unregister();
  }

  #unregister(): void {
    for (const name of NAMES) this.#registry.removeSingleMetric(name);
    this.#labelNames = undefined;
  }

  #register(
    { help, stats }: Metric,
    Registered: new (options: never) => PrometheusMetricLike,
    name: string,
    labelNames: readonly string[],
  ): void {
    const own = stats.flatMap(([, attributes]) => Object.keys(attributes));
    const options: MetricOptions = {
      name,
      help,
      labelNames: [...new Set([...labelNames, ...own])],
      registers: [this.#registry as never],
      collect: () => {
        registered.reset();
        for (const { labels, figures } of this.#sources) {
          const read = figures.read();
          for (const [stat, attributes] of stats) {
            const value = read[stat];
            if (value !== undefined) registered.inc({ ...labels, ...attributes }, value);
          }
        }
      },
    };
    const registered = new Registered(options as never);
  }
}

function isSource(source: object): source is { stats(): object } {
  return typeof (source as { stats?: unknown } | undefined)?.stats === 'function';
}

export type { GivenSource, MetricsSource } from './metrics.ts';
