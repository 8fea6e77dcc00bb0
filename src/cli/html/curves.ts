/** Curves as plain SVG: they load nothing, and use the page's colours. */
import { escapeHtml } from './escape.ts';

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Which of the page's colours it has. */
  readonly tone: 'ours' | 'theirs';
}

const WIDTH = 640;
const HEIGHT = 300;
const MARGIN = { left: 64, right: 36, top: 16, bottom: 44 };

/** One chart of curves; each axis is a log scale or begins at zero. */
export function curvesOf(
  curves: readonly Curve[],
  axes: { readonly x: string; readonly y: string; readonly log: boolean },
): string {
  const points = curves.flatMap((curve) => curve.points);
  const x = scaleOf(
    points.map(([value]) => value),
    axes.log,
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = scaleOf(
    points.map(([, value]) => value),
    axes.log,
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const grid = [
    ...x.ticks.map((value) => tick(x.place(value), HEIGHT - MARGIN.bottom + 18, 'middle', value)),
    ...y.ticks.map((value) => {
      const at = y.place(value);
      const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/>`;
      return line + tick(MARGIN.left - 8, at + 4, 'end', value);
    }),
  ];
  const lines = curves.map(({ name, points: of, tone }) => {
    const path = of.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${x.place(px)} ${y.place(py)}`);
    const dots =
      of.length > 20 ? [] : of.map(([px, py]) => `<circle cx="${x.place(px)}" cy="${y.place(py)}" r="4"/>`);
    return `<g class="curve ${tone}"><title>${escapeHtml(name)}</title><path d="${path.join('')}"/>${dots.join('')}</g>`;
  });
  const legend = curves.map(({ name, tone }) => `<li class="${tone}">${escapeHtml(name)}</li>`);
  const label = `${axes.y} by ${axes.x}`;
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">
    <g class="grid">${grid.join('')}</g>${lines.join('')}
    <text class="axis" x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escapeHtml(axes.x)}</text>
  </svg><figcaption>${escapeHtml(axes.y)}<ul class="legend">${legend.join('')}</ul></figcaption></figure>`;
}

interface Scale {
  place(value: number): number;
  readonly ticks: readonly number[];
}

function scaleOf(values: readonly number[], isLog: boolean, from: number, to: number): Scale {
  const largest = Math.max(...values);
  if (isLog) {
    const first = Math.floor(Math.log10(Math.min(...values)));
    const last = Math.max(first + 1, Math.ceil(Math.log10(largest)));
    const place = (value: number): number =>
      Math.round(from + ((Math.log10(value) - first) / (last - first)) * (to - from));
    return { place, ticks: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)) };
  }
  const step = stepOf(largest);
  const end = Math.max(step, Math.ceil(largest / step) * step);
  const place = (value: number): number => Math.round(from + (value / end) * (to - from));
  return { place, ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step) };
}

/** About five steps, of 1, 2 or 5 times a power of ten. */
function stepOf(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(largest, 1e-9) / 5));
  return power * ([1, 2, 5, 10].find((factor) => power * factor * 5 >= largest) ?? 10);
}

function tick(x: number, y: number, anchor: string, value: number): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${shortNumber(value)}</text>`;
}

/** `1.2k`, `3M`: three digits at most. */
export function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(2)));
}
