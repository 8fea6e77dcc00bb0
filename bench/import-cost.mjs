// What `import 'cdp-release-batcher/…'` costs over Node's bare start, for each name that the package exports: processes
// are started in turn, one of each kind a round, so that what disturbs the machine disturbs all of them alike. Each tells
// the CPU time that it has taken from its start until the import is done, all threads together; the time on the clock is
// taken from outside, until the process has ended, and is worth something on a quiet machine only.
//
//     npm run build && node bench/import-cost.mjs [--rounds 21] [--json bench/results/import-cost.json]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/bench/report/statistics.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, json: { type: 'string' } },
});
const rounds = Number(values.rounds);
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const BARE = 'an empty module';
const WARM_UP_ROUNDS = 2;

const folder = mkdtempSync(join(tmpdir(), 'import-cost-'));
const files = { [BARE]: write('bare', '') };
for (const [name, { default: file }] of Object.entries(manifest.exports)) {
  if (file === undefined) continue;
  const url = new URL(`../${file}`, import.meta.url).href;
  files[manifest.name + name.slice(1)] = write(name.replace(/\W/g, '_'), `import '${url}';`);
}
// For comparison: who imports this has a Puppeteer, too.
files['puppeteer-core'] = write('puppeteer', `import '${import.meta.resolve('puppeteer-core')}';`);

const elapsed = Object.fromEntries(Object.keys(files).map((name) => [name, []]));
const used = Object.fromEntries(Object.keys(files).map((name) => [name, []]));
for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
  for (const [name, file] of Object.entries(files)) {
    const start = performance.now();
    const { user, system } = JSON.parse(execFileSync(process.execPath, [file], { encoding: 'utf8' }));
    if (round < 0) continue;
    elapsed[name].push(performance.now() - start);
    used[name].push((user + system) / 1_000);
  }
}
rmSync(folder, { recursive: true });

/** Within one round. */
const overBare = (figures, name) => spreadOf(figures[name].map((ms, round) => ms - figures[BARE][round]));
const imports = Object.keys(files)
  .filter((name) => name !== BARE)
  .map((name) => ({ name, cpuMs: overBare(used, name), elapsedMs: overBare(elapsed, name) }));
const bare = { cpuMs: spreadOf(used[BARE]), elapsedMs: spreadOf(elapsed[BARE]) };
const environment = { node: process.version, cpu: cpus()[0]?.model.trim(), cpuCount: cpus().length };

console.log(`${BARE}: ${bare.cpuMs.median.toFixed(1)} ms of CPU, ${bare.elapsedMs.median.toFixed(1)} ms`);
const shown = ({ median }) => Number(median.toFixed(1));
console.table(
  Object.fromEntries(
    imports.map(({ name, cpuMs, elapsedMs }) => [
      name,
      { 'more CPU, ms': shown(cpuMs), 'more time, ms': shown(elapsedMs) },
    ]),
  ),
);
if (values.json !== undefined) {
  const report = { schema: 1, environment, rounds, bare, imports };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function write(name, source) {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `${source}\nconsole.log(JSON.stringify(process.cpuUsage()));\n`);
  return file;
}
