/** The bench's bars as plain HTML: nothing is loaded, and they follow the page's colours. */

import { significant } from '../../src/cli/format.ts';
import { shortNumber } from '../../src/cli/html/curves.ts';
import { escapeHtml } from '../../src/cli/html/escape.ts';
import type { MeasurementReport } from './report.ts';

/** Whether a measurement is one of this library's. */
export function isOurs({ id }: Pick<MeasurementReport, 'id'>): boolean {
  return (
    /-(attached|tracked)$/.test(id) ||
    !/\/(puppeteer|floor|bare|release|remote-interface|playwright)/.test(id)
  );
}

/** Throughput as bars on a log scale, the fastest first. Each bar's length is its place between two powers of ten. */
export function barsOf(measurements: readonly MeasurementReport[]): string {
  const sorted = [...measurements].sort((a, b) => b.handlesPerSecond.median - a.handlesPerSecond.median);
  const first =
    Math.floor(Math.log10(Math.min(...sorted.map(({ handlesPerSecond }) => handlesPerSecond.low)))) - 1;
  const last = Math.ceil(
    Math.log10(Math.max(...sorted.map(({ handlesPerSecond }) => handlesPerSecond.high))),
  );
  const share = (rate: number): number => (100 * (Math.log10(rate) - first)) / (last - first);
  const bars = sorted.map((measurement) => {
    const { median, low, high } = measurement.handlesPerSecond;
    const width = share(median).toFixed(1);
    const from = share(low).toFixed(1);
    const range = (share(high) - share(low)).toFixed(1);
    return `<li class="${isOurs(measurement) ? 'ours' : 'theirs'}">
      <span class="name">${escapeHtml(measurement.title)}</span>
      <span class="track"><span class="bar" style="width:${width}%"></span><span class="range" style="left:${from}%;width:${range}%"></span></span>
      <span class="value">${significant(median)}</span>
    </li>`;
  });
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => {
    return `<span style="left:${((100 * index) / (last - first)).toFixed(1)}%">${shortPower(first + index)}</span>`;
  });
  return `<ol class="bars">${bars.join('')}</ol><div class="scale"><span class="ticks">${ticks.join('')}</span></div>
  <p class="unit">handles a second, log scale; the thin line is the spread</p>`;
}

function shortPower(power: number): string {
  return shortNumber(10 ** power);
}
