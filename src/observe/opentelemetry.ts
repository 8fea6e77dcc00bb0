/**
 * The counts as OpenTelemetry metrics. They are read when the meter's reader asks. Nothing is imported from
 * `@opentelemetry/api`: a meter of any version fits.
 */
import { COUNTERS, GAUGES, type GivenSource, SourceFigures, type StatName } from './metrics.ts';

/** The part of an observable instrument that is used. */
export interface ObservableLike {
  addCallback(callback: (result: ObservableResultLike) => void): void;
  removeCallback(callback: (result: ObservableResultLike) => void): void;
}

/** The part of an observable result that is used. */
export interface ObservableResultLike {
  observe(value: number, attributes?: Record<string, string>): void;
}

/** The part of a `Meter` that is used. */
export interface MeterLike {
  createObservableCounter(name: string, options?: InstrumentOptions): ObservableLike;
  createObservableGauge(name: string, options?: InstrumentOptions): ObservableLike;
}

interface InstrumentOptions {
  readonly description?: string;
  readonly unit?: string;
}

/**
 * Reports an attachment, or a batcher, to a meter, as `cdp.handles.*` and `cdp.release.*`.
 *
 * @example
 * ```ts
 * const stop = observeWithOpenTelemetry(metrics.getMeter('scraper'), releases, { browser: 'main' });
 * ```
 * @param source an attachment, a batcher, or a function that gives the present one. Where a browser is launched anew,
 * counters go on from where the last one ended.
 * @param attributes of each figure; two sources on one meter need different ones. Default: none.
 * @returns ends it.
 */
export function observeWithOpenTelemetry(
  meter: MeterLike,
  source: GivenSource,
  attributes: Record<string, string> = {},
): () => void {
  if (typeof meter?.createObservableCounter !== 'function') {
    throw new TypeError(
      'observeWithOpenTelemetry: the first argument must be a Meter, as metrics.getMeter(name) gives it',
    );
  }
  const figures = new SourceFigures('observeWithOpenTelemetry', source);
  const undo: (() => void)[] = [];
  const observe = (instrument: ObservableLike, stat: StatName, own: Record<string, string>): void => {
    const callback = (result: ObservableResultLike): void => {
      const value = figures.read()[stat];
      if (value !== undefined) result.observe(value, { ...attributes, ...own });
    };
    instrument.addCallback(callback);
    undo.push(() => instrument.removeCallback(callback));
  };
  for (const { name, help, unit, stats } of COUNTERS) {
    const counter = meter.createObservableCounter(name, { description: help, unit });
    for (const [stat, own] of stats) observe(counter, stat, own);
  }
  for (const { name, help, unit, stats } of GAUGES) {
    const gauge = meter.createObservableGauge(name, { description: help, unit });
    for (const [stat, own] of stats) observe(gauge, stat, own);
  }
  return () => {
    for (const end of undo.splice(0)) end();
  };
}

export type { GivenSource, MetricsSource } from './metrics.ts';
