// Prints which lines of src no test runs: `npm run coverage`; what is behind `--` is vitest's. What tests start as processes
// of their own, from the build, counts as much as what runs in vitest's: of those V8 itself writes down what was run, and
// the build's source maps lead back to the lines.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
const PROCESSES = join(FOLDER, 'processes');
const DIST = pathToFileURL(join(ROOT, 'dist/')).href;
/** Where a test has put a copy of the build, as npm would. */
const INSTALLED = /^file:.*\/node_modules\/cdp-release-batcher\/dist\//;

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
forgetMaps();
const REPORTS = ['--coverage.reporter=json', '--coverage.reporter=html', '--coverage.reportOnFailure'];
const { status } = run('npx', ['vitest', 'run', '--coverage', ...REPORTS, ...process.argv.slice(2)], {
  COVERAGE_OF_PROCESSES: PROCESSES,
});
print(merged(linesOfVitest(), linesOfProcesses()));
run('npm', ['run', '--silent', 'build']); // Without the maps.
process.exitCode = status ?? 1;

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
function linesOfVitest() {
  const report = JSON.parse(readFileSync(join(FOLDER, 'coverage-final.json'), 'utf8'));
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
function linesOfProcesses() {
  const runOf = new Map();
  for (const name of existsSync(PROCESSES) ? readdirSync(PROCESSES) : []) {
    for (const { url: loaded, functions } of scriptsOf(join(PROCESSES, name))) {
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
  return [relative(ROOT, path).replace(/^dist(.*)\.js$/, 'src$1.ts'), lines];
}

function merged(ofVitest, ofProcesses) {
  return [...ofVitest].map(([file, lines]) => {
    const uncovered = [...lines].filter(([line, isRun]) => !isRun && !ofProcesses.get(file)?.has(line));
    return { file, lines: lines.size, uncovered: uncovered.map(([line]) => line).sort((a, b) => a - b) };
  });
}

function print(files) {
  let [lines, uncovered] = [0, 0];
  for (const file of files.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    lines += file.lines;
    uncovered += file.uncovered.length;
    if (file.uncovered.length > 0) console.log(`${file.file}: ${file.uncovered.join(', ')}`);
  }
  const share = (100 * (lines - uncovered)) / lines;
  console.log(
    `${share.toFixed(1)} % of the ${lines} lines of src with code are run; above, the other ${uncovered}.`,
  );
}
