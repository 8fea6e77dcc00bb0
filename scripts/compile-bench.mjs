// Compiles what the package ships of bench/ to dist/bench, module by module. What it imports of src/ it takes from dist/
// itself: `../src/timers.ts` becomes `../timers.js`. The compiler can't, since its output has the folders of its input.
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BENCH = join(ROOT, 'bench');
const SRC = join(ROOT, 'src');
/** Where its processes begin; their imports lead to all else. */
const ENTRIES = ['command.ts', 'child.ts', 'scripts/child.ts'];

/** @returns the modules that bench/ imports of src/, by their paths below dist/. */
export async function compileBench({ sourcemap = false } = {}) {
  const taken = new Set();
  const takeFromDist = (specifier, importer) => {
    if (importer === undefined || !specifier.startsWith('.')) return;
    const module = relative(SRC, join(dirname(importer), specifier)).replace(/\.ts$/, '.js');
    if (module.startsWith('..')) return; // Another module of bench/.
    taken.add(module);
    return { id: join(ROOT, module), external: 'relative' };
  };
  const bundle = await rolldown({
    input: ENTRIES.map((path) => join(BENCH, path)),
    platform: 'node',
    transform: { target: 'es2023' },
    plugins: [{ name: 'take-from-dist', resolveId: takeFromDist }],
  });
  await bundle.write({
    dir: join(ROOT, 'dist/bench'),
    preserveModules: true,
    preserveModulesRoot: BENCH,
    sourcemap,
  });
  return taken;
}
