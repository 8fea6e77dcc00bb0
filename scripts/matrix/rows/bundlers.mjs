// A script in one file, with Puppeteer and this package in it: attached with `traceLeaks`, it names the line that forgot
// where there is a source map, and never takes a line of ours, or of Puppeteer's, for the script's.
import { MAIN, PLAIN } from '../ordinary-script.mjs';

const SOURCE = `import puppeteer from 'puppeteer-core';
import { attach } from 'cdp-release-batcher/puppeteer';
${MAIN}
main(puppeteer, process.env.MATRIX_ATTACH ? (browser) => attach(browser, { traceLeaks: true }) : undefined)
  .then((result) => console.log('RESULT ' + JSON.stringify(result)), (error) => { console.error(error); process.exit(1); });
`;
const FORGETTING_LINE = SOURCE.split('\n').findIndex((line) => line.startsWith('const forget')) + 1;

/** Builds, where that was not done yet, and runs what came of it. */
const RUN = `import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
const [how] = process.argv.slice(2);
const { out } = JSON.parse(how);
const node = (...args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync(out)) node('build.mjs', how);
node('--expose-gc', '--enable-source-maps', out);
`;

/** By its name: the packages, and a module that builds `scrape.mjs` into \`out\`, as \`format\`, minified or not, with a map or not. */
const BUNDLERS = {
  esbuild: {
    packages: { esbuild: 'latest' },
    build: `import { build } from 'esbuild';
      await build({ entryPoints: ['scrape.mjs'], bundle: true, platform: 'node', outfile: out, format, minify, sourcemap: map,
        banner: format === 'esm' ? { js: "import { createRequire as cr } from 'node:module'; const require = cr(import.meta.url);" } : {} });`,
  },
  rollup: {
    packages: {
      rollup: 'latest',
      '@rollup/plugin-node-resolve': 'latest',
      '@rollup/plugin-commonjs': 'latest',
      '@rollup/plugin-json': 'latest',
      '@rollup/plugin-terser': 'latest',
    },
    build: `import { rollup } from 'rollup';
      import resolve from '@rollup/plugin-node-resolve';
      import commonjs from '@rollup/plugin-commonjs';
      import json from '@rollup/plugin-json';
      import terser from '@rollup/plugin-terser';
      const plugins = [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs({ ignoreDynamicRequires: true }), json(), ...(minify ? [terser()] : [])];
      const bundle = await rollup({ input: 'scrape.mjs', plugins, onwarn() {} });
      await bundle.write({ file: out, format: format === 'esm' ? 'es' : 'cjs', sourcemap: map, inlineDynamicImports: true });`,
  },
  webpack: { packages: { webpack: '5' }, build: webpackBuild("import webpack from 'webpack';") },
  rspack: {
    packages: { '@rspack/core': 'latest' },
    build: webpackBuild("import { rspack as webpack } from '@rspack/core';"),
  },
  vite: {
    packages: { vite: 'latest' },
    build: `import { build } from 'vite';
      import { basename, dirname } from 'node:path';
      await build({ logLevel: 'error', configFile: false, ssr: { noExternal: true },
        build: { ssr: 'scrape.mjs', outDir: dirname(out), emptyOutDir: false, minify, sourcemap: map, target: 'node20',
          rollupOptions: { output: { format: format === 'esm' ? 'es' : 'cjs', entryFileNames: basename(out), inlineDynamicImports: true } } } });`,
  },
  ncc: {
    packages: { '@vercel/ncc': 'latest' },
    formats: ['cjs'], // It follows the nearest manifest.
    build: `import { createRequire } from 'node:module';
      import { mkdir, writeFile } from 'node:fs/promises';
      import { basename, dirname } from 'node:path';
      const ncc = createRequire(import.meta.url)('@vercel/ncc');
      const { code, map: text, assets } = await ncc(process.cwd() + '/scrape.mjs', { minify, sourceMap: map, sourceMapRegister: false, quiet: true, esm: false });
      await mkdir(dirname(out), { recursive: true });
      await writeFile(out, map ? code + '\\n//# sourceMappingURL=' + basename(out) + '.map\\n' : code);
      if (map) await writeFile(out + '.map', text);
      for (const [name, { source }] of Object.entries(assets)) { await mkdir(dirname(dirname(out) + '/' + name), { recursive: true }); await writeFile(dirname(out) + '/' + name, source); }`,
  },
};

function webpackBuild(importing) {
  return `${importing}
      import { basename, dirname, resolve } from 'node:path';
      const esm = format === 'esm';
      const compiler = webpack({ mode: minify ? 'production' : 'development', target: 'node20', entry: './scrape.mjs', devtool: map ? 'source-map' : false,
        output: { path: resolve(dirname(out)), filename: basename(out), ...(esm ? { module: true, chunkFormat: 'module', library: { type: 'module' } } : {}) },
        ...(esm ? { experiments: { outputModule: true } } : {}), optimization: { minimize: minify, splitChunks: false },
        module: { parser: { javascript: { dynamicImportMode: 'eager' } } } });
      await new Promise((done, failed) => compiler.run((error, stats) => error || stats.hasErrors() ? failed(error ?? new Error(stats.toString({ all: false, errors: true }))) : compiler.close(done)));`;
}

export const rows = Object.entries(BUNDLERS).flatMap(
  ([bundler, { packages, build, formats = ['esm', 'cjs'] }]) =>
    formats.flatMap((format) =>
      [false, true].flatMap((minify) =>
        [false, true].map((map) => row({ bundler, packages, build, format, minify, map })),
      ),
    ),
);

function row({ bundler, packages, build, format, minify, map }) {
  const traits = [format, minify ? 'minified' : '', map ? 'with a map' : ''].filter(Boolean);
  const out = `out-${traits.join('-').replaceAll(' ', '-')}/scrape.${format === 'esm' ? 'mjs' : 'cjs'}`;
  const command = ['node', 'run.mjs', JSON.stringify({ out, format, minify, map })];
  return {
    name: [bundler, ...traits].join(', '),
    packages: { ...packages, 'puppeteer-core': '24' },
    files: {
      'scrape.mjs': SOURCE,
      'build.mjs': `const { out, format, minify, map } = JSON.parse(process.argv[2]);\n${build}\n`,
      'run.mjs': RUN,
    },
    plain: command,
    attached: command,
    env: { plain: PLAIN, attached: { MATRIX_ATTACH: '1' } },
    expected: 'attached',
    checks: ({ lines }) => {
      const isForgetting = new RegExp(`scrape\\.mjs:${FORGETTING_LINE}(:|$)`);
      const isRight = (line) =>
        map ? isForgetting.test(line) && !line.includes('/out-') : line.startsWith('unknown: ');
      const wrong = lines.filter((line) => !isRight(line));
      if (wrong.length > 0) return `not the line that forgot: ${wrong.join(', ')}`;
      return lines.length > 0 ? undefined : 'no leak is told';
    },
  };
}
