/** The README's picture is drawn from the checked-in result. `UPDATE_FIGURES=1` draws it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { BenchReport } from '../../bench/report/report.ts';
import { pageHeapPicture, SCHEMES } from '../../scripts/picture/page-heap.mjs';

const root = new URL('../../', import.meta.url);
const report: BenchReport = JSON.parse(readFileSync(new URL('bench/results/latest.json', root), 'utf8'));

it.each(SCHEMES)('the picture for a %s page is that of the checked-in result', (scheme) => {
  const file = new URL(`docs/page-heap-${scheme}.svg`, root);
  const picture = pageHeapPicture(report, scheme);
  if (process.env.UPDATE_FIGURES) writeFileSync(file, picture);
  else expect(readFileSync(file, 'utf8')).toBe(picture);
});

it('a page that crashed is marked where it did', () => {
  const crashed = report.measurements.map((measurement) =>
    measurement.id === 'large/puppeteer'
      ? {
          ...measurement,
          samples: measurement.samples.map((sample) => ({ ...sample, extra: { crashedAt: 16_313 } })),
        }
      : measurement,
  );
  expect(pageHeapPicture({ ...report, measurements: crashed }, 'light')).toContain('crashed after 16,313');
  expect(pageHeapPicture(report, 'light').includes('crashed after')).toBe(
    report.measurements.some(({ id, crashed }) => id === 'large/puppeteer' && crashed),
  );
});
