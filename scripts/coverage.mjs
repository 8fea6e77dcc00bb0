// Prints which lines of src and bench `npm test` does not run, and which no test runs: `npm run coverage`. With `-- --mode test`
// it is `npm test` alone, which takes minutes less. What tests start as processes of their own, from the build, counts as much
// as what runs in vitest's: of those V8 itself writes down what was run, and the build's source maps lead back to the lines,
// as of what is imported, so of what is required. What else is behind `--` is vitest's, in either run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { compileBench } from './compile-bench.mjs';
import { ENTRIES, MANIFEST_OF_COMMONJS } from './entries.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
const DIST = pathToFileURL(join(ROOT, 'dist/')).href;
/** Where a test has put a copy of the build, as npm would. */
const INSTALLED = /^file:.*\/node_modules\/cdp-release-batcher\/dist\//;
/** By vitest's modes. */
const RUNS = { test: 'npm test', long: 'npm run test:long' };
const [asked, options] = modesOf(process.argv.slice(2));

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
await compileForRequire();
forgetMaps();
let lines = new Map();
const names = [];
for (const mode of asked) {
  const covering = covered(mode);
  if (covering.status !== 0) process.exitCode = covering.status;
  lines = union(lines, covering.lines);
  names.push(RUNS[mode]);
  printUncovered(lines, names.join(', nor by '));
}
run('npm', ['run', '--silent', 'build']); // Without the maps.

/** @returns the modes to run in, one after the other, and what is vitest's. */
function modesOf(args) {
  const at = args.indexOf('--mode');
  if (at === -1) return [Object.keys(RUNS), args];
  const mode = args[at + 1];
  if (!Object.hasOwn(RUNS, mode)) throw new Error(`--mode is one of ${Object.keys(RUNS).join(', ')}`);
  return [[mode], args.toSpliced(at, 2)];
}

/** Runs the tests of a mode: by file, by line, whether it was run. */
function covered(mode) {
  const [folder, processes] = [join(FOLDER, mode), join(FOLDER, mode, 'processes')];
  const reports = ['json', 'html'].map((name) => `--coverage.reporter=${name}`);
  const ofCoverage = [
    '--coverage',
    `--coverage.reportsDirectory=${folder}`,
    '--coverage.reportOnFailure',
    ...reports,
  ];
  const { status } = run('npx', ['vitest', 'run', '--mode', mode, ...ofCoverage, ...options], {
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

/** The same for programs that `require` the package: in modules here, too, since a line of a module has one map. */
async function compileForRequire() {
  const bundle = await rolldown({
    input: ENTRIES.map((path) => join(ROOT, 'src', path.replace(/\.js$/, '.ts'))),
    platform: 'node',
    external: /^node:/,
  });
  const dir = join(ROOT, 'dist', 'cjs');
  const preserveModulesRoot = join(ROOT, 'src');
  await bundle.write({ dir, format: 'cjs', preserveModules: true, preserveModulesRoot, sourcemap: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify(MANIFEST_OF_COMMONJS));
  const declarations = ['--emitDeclarationOnly', '--declarationDir', 'dist/cjs'];
  run('npx', ['tsc', '-p', 'tsconfig.build.json', ...declarations]);
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

/** The lines that were run in a process that a test started, by file; a file that was compiled twice is there twice. */
function linesOfProcesses(folder) {
  const runOf = new Map();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    for (const { url: loaded, functions } of scriptsOf(join(folder, name))) {
      const url = loaded.replace(INSTALLED, DIST);
      if (!url.startsWith(DIST)) continue;
      const path = fileURLToPath(url); // Without a query, by which a script is loaded once more.
      if (!existsSync(`${path}.map`)) continue;
      const bytes = runIn(functions);
      const known = runOf.get(path);
      if (known === undefined) runOf.set(path, bytes);
      else
        bytes.forEach((isRun, offset) => {
          if (isRun) known[offset] = 1;
        });
    }
  }
  return [...runOf].map(([path, offsets]) => linesBehind(path, offsets));
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
      /^dist\/(?:(bench\/)|cjs\/)?(.*)\.js$/,
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

function printUncovered(files, by) {
  console.log(`\nNot run by ${by}:`);
  for (const [file, lines] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const uncovered = uncoveredOf(lines);
    if (uncovered.length > 0) console.log(`${file}: ${uncovered.join(', ')}`);
  }
  console.log(summaryOf(files));
}

function summaryOf(files) {
  const all = [...files.values()];
  const count = all.reduce((sum, lines) => sum + lines.size, 0);
  const uncovered = all.reduce((sum, lines) => sum + uncoveredOf(lines).length, 0);
  const share = (100 * (count - uncovered)) / count;
  return `${share.toFixed(1)} % of the ${count} lines with code are run, ${uncovered} are not`;
}
