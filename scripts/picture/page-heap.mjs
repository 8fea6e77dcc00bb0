// The README's picture: the heap of a page while handles of 200 KB each are forgotten, without the library and with it,
// from the bench's `large` measurements. Of several rounds the one is shown in which the heap rose highest, for both.
// An image follows the system's colour scheme, not that of the page that it stands in, hence one for each.

export const SCHEMES = ['light', 'dark'];

const COLOURS = {
  light: {
    ground: '#fbfaf7',
    ink: '#1d1f24',
    faint: '#626873',
    line: '#dcdad3',
    ours: '#0b7a5c',
    plain: '#a33a12',
  },
  dark: {
    ground: '#15171b',
    ink: '#e9e8e4',
    faint: '#9aa0ab',
    line: '#33373f',
    ours: '#3fcf9f',
    plain: '#ff9a6b',
  },
};
const TITLE = 'Page heap in MB, garbage included, as handles of 200 KB each are forgotten';
const WIDTH = 760;
const HEIGHT = 340;
const PLOT = { left: 66, right: 736, top: 64, bottom: 272 };

export function pageHeapPicture({ measurements, environment }, scheme) {
  const colour = COLOURS[scheme];
  const curves = [
    { name: 'plain Puppeteer', tone: colour.plain, ...course(measurements, 'large/puppeteer') },
    { name: 'attached', tone: colour.ours, ...course(measurements, 'large/attached') },
  ];
  const points = curves.flatMap((curve) => curve.points);
  const x = scale(Math.max(...points.map(([handles]) => handles)), PLOT.left, PLOT.right);
  const y = scale(Math.max(...points.map(([, megabytes]) => megabytes)), PLOT.bottom, PLOT.top);

  const grid = y.ticks.map((value) => {
    const at = y.place(value);
    const line = `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="${colour.line}"/>`;
    return line + text(PLOT.left - 10, at + 4, 'end', colour.faint, count(value));
  });
  const numbers = x.ticks.map((value) =>
    text(x.place(value), PLOT.bottom + 20, 'middle', colour.faint, count(value)),
  );
  const lines = curves.map(({ tone, points }) => {
    const path = points
      .map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${x.place(px)} ${y.place(py)}`)
      .join('');
    return `<path d="${path}" fill="none" stroke="${tone}" stroke-width="2.5" stroke-linejoin="round"/>`;
  });
  const crosses = curves.flatMap(({ tone, points, crashedAt }) => {
    if (crashedAt === undefined) return [];
    const [last] = points.slice(-1);
    const [cx, cy] = [x.place(last[0]), y.place(last[1])];
    const path = `M${cx - 6} ${cy - 6}l12 12M${cx - 6} ${cy + 6}l12 -12`;
    return [`<path d="${path}" stroke="${tone}" stroke-width="2.5" stroke-linecap="round"/>`];
  });
  const legend = curves.map(({ name, tone, peak, crashedAt }, index) => {
    const left = PLOT.left + index * 400;
    const end = crashedAt === undefined ? '' : `, crashed after ${count(crashedAt)}`;
    const words = `${name}: at most ${count(Math.round(peak))} MB${end}`;
    return `<line x1="${left}" x2="${left + 18}" y1="44" y2="44" stroke="${tone}" stroke-width="3"/>${text(left + 26, 48, 'start', colour.ink, words)}`;
  });
  const { browser, node, packages } = environment;
  const source = `${browser}, Node ${node}, puppeteer-core ${packages['puppeteer-core']}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">
<title>${TITLE}</title>
<!-- Made by scripts/picture.mjs from bench/results/latest.json. -->
<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="${colour.ground}"/>
${text(PLOT.left, 26, 'start', colour.ink, TITLE, 'font-weight="600" font-size="15"')}
${[...legend, ...grid, ...numbers, ...lines, ...crosses].join('\n')}
${text(PLOT.left, HEIGHT - 14, 'start', colour.faint, source, 'font-size="11"')}
${text(PLOT.right, HEIGHT - 14, 'end', colour.faint, 'handles forgotten')}
</svg>
`;
}

/** The round in which the heap rose highest, in megabytes. */
function course(measurements, id) {
  const measurement = measurements.find((candidate) => candidate.id === id);
  const rounds = (measurement?.samples ?? []).filter(({ heap }) => heap?.length > 1);
  if (rounds.length === 0) throw new Error(`bench/results/latest.json tells nothing of the heap for ${id}`);
  const peakOf = ({ heap }) => Math.max(...heap.map(([, bytes]) => bytes));
  const highest = rounds.reduce((best, round) => (peakOf(round) > peakOf(best) ? round : best));
  return {
    points: highest.heap.map(([handles, bytes]) => [handles, bytes / 1e6]),
    peak: peakOf(highest) / 1e6,
    crashedAt: highest.extra?.crashedAt,
  };
}

/** From nought on, in four to eight round steps. */
function scale(largest, from, to) {
  const power = 10 ** Math.floor(Math.log10(largest / 4));
  const step = power * [5, 2, 1].find((factor) => power * factor * 4 <= largest);
  const end = Math.ceil(largest / step) * step;
  const place = (value) => Math.round((from + (value / end) * (to - from)) * 10) / 10;
  return { place, ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step) };
}

function text(x, y, anchor, fill, words, attributes = '') {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}"${attributes && ` ${attributes}`}>${words}</text>`;
}

function count(value) {
  return value.toLocaleString('en');
}
