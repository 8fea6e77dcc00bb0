// `npm run release`: checks that this commit can be released as the version in package.json, packs it, looks into the tarball
// as somebody who installs it, and tags the commit. Nothing is pushed or published: the commands for that are printed.
//   npm run release -- --dry-run    the same without the tag, also with changes that are not committed
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const isDryRun = process.argv.includes('--dry-run');
const { name, version, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tag = `v${version}`;

function run(file, args, cwd = root) {
  return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function require(holds, otherwise) {
  if (holds) return;
  console.error(`Not released: ${otherwise}`);
  process.exit(1);
}

if (!isDryRun) {
  require(run('git', ['status', '--porcelain']) === '', 'there are changes that are not committed.');
  require(run('git', ['tag', '--list', tag]) ===
    '', `there is a tag ${tag}: raise the version in package.json.`);
  const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  require(changes.includes(
    `\n## ${version}\n`,
  ), `CHANGELOG.md has no heading "## ${version}"; it may be "## Unreleased" still.`);
}

console.log('Checks types, lint, unused code and the package …');
run('npm', ['run', 'check']);

const folder = mkdtempSync(join(tmpdir(), 'release-'));
try {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]),
  );
  const tarball = join(folder, packed.filename);
  console.log(`Packed ${packed.filename}: ${packed.entryCount} files, ${packed.size} bytes.`);
  tryInstalled(tarball);
  if (isDryRun) {
    console.log(`Would be tagged ${tag}.`);
  } else {
    run('git', ['tag', '--annotate', tag, '--message', `${name} ${version}`]);
    console.log(`Tagged ${tag}. Now: git push --follow-tags && npm publish`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Every entry is imported and required from a folder where nothing else is installed. */
function tryInstalled(tarball) {
  const project = mkdtempSync(join(tmpdir(), 'released-'));
  try {
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    run('npm', ['install', '--no-audit', '--no-fund', '--silent', tarball], project);
    const entries = Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => name + entry.slice(1));
    const tries = `for (const entry of ${JSON.stringify(entries)}) { await import(entry); require(entry); }`;
    const importing = `import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/x.js'); ${tries}`;
    run(process.execPath, ['--input-type=module', '--eval', importing], project);
    console.log(
      `${entries.length} entries can be imported and required; the command line is ${run('npx', [name, '--version'], project)}.`,
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
