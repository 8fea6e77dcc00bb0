// Makes what is published of what the compiler has written to build/: the library as a few files, since Node takes
// half a millisecond and more for each that it loads. What is imported by its path stays there, as an entry; what
// entries share lies in rooms/, so that each module is there once. The command line and the bench, which nobody imports, stay as they are.
// For programs that `require` it the same files are there once more, as CommonJS, below dist/cjs.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { compileBench } from './compile-bench.mjs';
import { ENTRIES, MANIFEST_OF_COMMONJS } from './entries.mjs';

const build = fileURLToPath(new URL('../build', import.meta.url));
const dist = fileURLToPath(new URL('../dist', import.meta.url));

/**
 * What several entries are made of; a module's dependencies go with it, unless a room before has them. The first holds
 * what can be used without any other, and nothing that a bundler would have to keep.
 */
const ROOMS = [
  { name: 'batcher', test: /[\\/]build[\\/](?:batcher|runtime|policy|single-flight)/ },
  {
    name: 'handles',
    test: /[\\/]build[\\/](?:handles|observe[\\/](?:calling|leak)|clients[\\/](?:session-|callback-|target-|delegate))/,
  },
  { name: 'puppeteer', test: /[\\/]build[\\/]clients[\\/]puppeteer[\\/](?!regist)/ }, // What `register` is made of needs Node.
  { name: 'playwright', test: /[\\/]build[\\/]clients[\\/]playwright[\\/](?!index|registration)/ },
].map((room, index, { length }) => ({ ...room, priority: length - index }));

const takenByBench = [...(await compileBench())].filter((path) => !path.startsWith(join('cli', '/')));
await write(new Set([...ENTRIES, ...takenByCommandLine(), ...takenByBench]), dist, 'esm');
await write(new Set(ENTRIES), join(dist, 'cjs'), 'cjs');
writeFileSync(join(dist, 'cjs', 'package.json'), `${JSON.stringify(MANIFEST_OF_COMMONJS, undefined, 2)}\n`);
copyDeclarations();
cpSync(join(build, 'cli'), join(dist, 'cli'), { recursive: true });

/** @param paths of modules below build/ that are to be files of their own. */
async function write(paths, dir, format) {
  const bundle = await rolldown({
    input: Object.fromEntries([...paths].map((path) => [path.slice(0, -'.js'.length), join(build, path)])),
    platform: 'node',
    external: /^node:/,
  });
  await bundle.write({
    dir,
    format,
    entryFileNames: '[name].js',
    chunkFileNames: 'rooms/[name].js',
    codeSplitting: { groups: ROOMS },
    comments: { jsdoc: false },
    minifyInternalExports: false,
  });
}

/** The same declarations tell of CommonJS where the manifest beside them says so. */
function copyDeclarations() {
  const rooms = readdirSync(dist, { withFileTypes: true }).filter(
    ({ name }) => !['bench', 'cjs', 'cli'].includes(name),
  );
  for (const { name } of rooms) {
    cpSync(join(dist, name), join(dist, 'cjs', name), {
      recursive: true,
      filter: (path) => !path.endsWith('.js'),
    });
  }
}

/** The modules of the library that those of the command line import. */
function takenByCommandLine() {
  return readdirSync(join(build, 'cli'), { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.js'))
    .flatMap((file) => {
      const folder = join(file.parentPath ?? file.path, '/');
      const source = readFileSync(join(folder, file.name), 'utf8');
      return [...source.matchAll(/(?:from|import) '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
        ([, from, dynamic]) => join(folder, from ?? dynamic).slice(build.length + 1),
      );
    })
    .filter((path) => !path.startsWith(join('cli', '/')));
}
