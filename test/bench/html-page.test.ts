// The page of the bench that is checked in: every section is there, and each curve lies within its chart.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { htmlOf } from '../../bench/report/html-report.ts';
import { curvesOf } from '../../src/cli/html/curves.ts';

const html = htmlOf(
  JSON.parse(readFileSync(new URL('../../bench/results/latest.json', import.meta.url), 'utf8')),
);

function pointsOf(section: string): [x: number, y: number][] {
  const paths = [...section.matchAll(/<path d="([^"]*)"/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(1);
  return paths
    .flatMap((path) => path.split(/[ML]/).slice(1))
    .map((point) => {
      const [x = Number.NaN, y = Number.NaN] = point.split(' ').map(Number);
      return [x, y];
    });
}

test.each(['heap', 'curves'])('%s', (id) => {
  const [, section = ''] = new RegExp(`<section id="${id}">(.*?)</section>`, 's').exec(html) ?? [];
  for (const [x, y] of pointsOf(section)) {
    expect(x >= 64 && x <= 604, `${x} from the left`).toBe(true);
    expect(y >= 16 && y <= 256, `${y} from the top`).toBe(true);
  }
});

test('the page has its targets', () => {
  expect(html).toContain('<section id="targets">');
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});

test('on a logarithmic axis each power of ten has its mark, at equal distances', () => {
  const chart = curvesOf(
    [
      {
        name: 'a',
        tone: 'ours',
        points: [
          [1_000, 3],
          [20_000, 30],
          [1_000_000, 4],
        ],
      },
    ],
    { x: 'x', y: 'y', log: true },
  );
  const marks = [...chart.matchAll(/<text x="(\d+)" y="274" text-anchor="middle">([^<]*)</g)];
  expect(marks.map(([, , text]) => text)).toEqual(['1k', '10k', '100k', '1M']);
  expect(marks.map(([, x]) => Number(x))).toEqual([64, 244, 424, 604]);
  expect(chart).toContain('<circle cx="604"');
});
