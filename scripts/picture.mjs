// `node scripts/picture.mjs`: draws docs/page-heap-light.svg and docs/page-heap-dark.svg from
// bench/results/latest.json. A test proves them fresh; `UPDATE_FIGURES=1 npx vitest run test/bench` draws them, too.
import { readFile, writeFile } from 'node:fs/promises';
import { pageHeapPicture, SCHEMES } from './picture/page-heap.mjs';

const root = new URL('../', import.meta.url);
const report = JSON.parse(await readFile(new URL('bench/results/latest.json', root), 'utf8'));
for (const scheme of SCHEMES) {
  await writeFile(new URL(`docs/page-heap-${scheme}.svg`, root), pageHeapPicture(report, scheme));
}
