// Prints which lines of src and bench no test runs, and how many `npm test` alone runs: `npm run coverage`. What tests start as
// processes of their own, from the build, counts as much as what runs in vitest's: of those V8 itself writes down what was
// run, and the build's source maps lead back to the lines. What is behind `--` is vitest's, in either run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileBench } from './compile-bench.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
const DIST = pathToFileURL(join(ROOT, 'dist/')).href;
/** Where a test has put a copy of the build, as npm would. */
const INSTALLED = /^file:.*\/node_modules\/cdp-release-batcher\/dist\//;
/** Vitest's modes: that of `npm test`, and that of `npm run test:long`. */
const MODES = ['test', 'long'];

rmSync(FOLDER, { recursive: true, force: true });
run('node', ['scripts/clean.mjs']);
run('npx', ['tsc', '-p', 'tsconfig.build.json']); // What some tests take of build/.
run('npx', [
  'tsc',
  '-p',
  'tsconfig.build.json',
  '--outDir',
  'dist',
  '--declarationDir',
  'dist',
  '--sourceMap',
]);
await compileBench({ sourcemap: true });
forgetMaps();
const runs = MODES.map(covered);
const [byTest, byBoth] = [runs[0].lines, runs.map(({ lines }) => lines).reduce(union)];
printUncovered(byBoth);
console.log(`npm test alone: ${summaryOf(byTest)}\nwith npm run test:long: ${summaryOf(byBoth)}`);
run('npm', ['run', '--silent', 'build']); // Without the maps.
process.exitCode = runs.find(({ status }) => status !== 0)?.status ?? 0;

/** Runs the tests of a mode: by file, by line, whether it was run. */
function covered(mode) {
  const [folder, processes] = [join(FOLDER, mode), join(FOLDER, mode, 'processes')];
  const reports = ['json', 'html'].map((name) => `--coverage.reporter=${name}`);
  const options = [
    '--coverage',
    `--coverage.reportsDirectory=${folder}`,
    '--coverage.reportOnFailure',
    ...reports,
  ];
  const { status } = run('npx', ['vitest', 'run', '--mode', mode, ...options, ...process.argv.slice(2)], {
    COVERAGE_OF_PROCESSES: processes,
  });
  const lines = linesOfVitest(folder);
  for (const [file, ran] of linesOfProcesses(processes)) {
    for (const line of ran) if (lines.get(file)?.has(line)) lines.get(file).set(line, true);
  }
  return { status: status ?? 1, lines };
}

function run(command, args, env = {}) {
  return spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
}

/** Takes from the scripts what names their maps: Node would follow it, and what is published has none. */
function forgetMaps() {
  for (const name of readdirSync(join(ROOT, 'dist'), { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const path = join(ROOT, 'dist', name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\n\/\/# sourceMappingURL=\S+\s*$/, ''));
  }
}

/** By file, by line: whether it was run in one of vitest's own processes. Every line with a statement has its place. */
function linesOfVitest(folder) {
  const report = JSON.parse(readFileSync(join(folder, 'coverage-final.json'), 'utf8'));
  return new Map(
    Object.values(report).map(({ path, statementMap, s }) => {
      const lines = new Map();
      for (const [key, { start }] of Object.entries(statementMap)) {
        lines.set(start.line, lines.get(start.line) === true || s[key] > 0);
      }
      return [relative(ROOT, path), lines];
    }),
  );
}

/** By file, the lines that were run in a process that a test started. */
function linesOfProcesses(folder) {
  const runOf = new Map();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    for (const { url: loaded, functions } of scriptsOf(join(folder, name))) {
      const url = loaded.replace(INSTALLED, DIST);
      if (!url.startsWith(DIST) || !existsSync(fileURLToPath(url))) continue;
      const bytes = runIn(functions);
      const known = runOf.get(url);
      if (known === undefined) runOf.set(url, bytes);
      else
        bytes.forEach((isRun, offset) => {
          if (isRun) known[offset] = 1;
        });
    }
  }
  return new Map([...runOf].map(([url, offsets]) => linesBehind(fileURLToPath(url), offsets)));
}

/** One that was killed while it wrote has left half a file. */
function scriptsOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).result;
  } catch {
    return [];
  }
}

/** By offset in the script, whether it was run. Of V8's ranges the inner ones come later, and are right. */
function runIn(functions) {
  const ranges = functions.flatMap((each) => each.ranges);
  const offsets = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges)
    offsets.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return offsets;
}

function linesBehind(path, offsets) {
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  const lines = new Set();
  let offset = 0;
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((text, line) => {
      for (let column = 0; column < text.length; column++) {
        if (offsets[offset + column] !== 1 || /[\s{}();]/.test(text[column])) continue;
        const { originalLine } = map.findEntry(line, column);
        if (originalLine !== undefined) lines.add(originalLine + 1);
      }
      offset += text.length + 1;
    });
  return [
    relative(ROOT, path).replace(
      /^dist\/(bench\/)?(.*)\.js$/,
      (_, bench = 'src/', name) => `${bench}${name}.ts`,
    ),
    lines,
  ];
}

function union(one, other) {
  const files = new Set([...one.keys(), ...other.keys()]);
  return new Map(
    [...files].map((file) => {
      const lines = new Map(one.get(file));
      for (const [line, isRun] of other.get(file) ?? []) lines.set(line, isRun || lines.get(line) === true);
      return [file, lines];
    }),
  );
}

function uncoveredOf(lines) {
  return [...lines].flatMap(([line, isRun]) => (isRun ? [] : line)).sort((a, b) => a - b);
}

function printUncovered(files) {
  for (const [file, lines] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const uncovered = uncoveredOf(lines);
    if (uncovered.length > 0) console.log(`${file}: ${uncovered.join(', ')}`);
  }
}

function summaryOf(files) {
  const all = [...files.values()];
  const count = all.reduce((sum, lines) => sum + lines.size, 0);
  const uncovered = all.reduce((sum, lines) => sum + uncoveredOf(lines).length, 0);
  const share = (100 * (count - uncovered)) / count;
  return `${share.toFixed(1)} % of the ${count} lines with code are run, ${uncovered} are not`;
}
