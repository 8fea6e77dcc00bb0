// The declarations by themselves: nothing else is installed, and nothing is skipped.
const VERSIONS = ['5.2', '5.4', '5.9', '7'];
const RESOLUTIONS = {
  node10: 'commonjs', // Without `exports`: the root alone is found.
  node16: 'node16',
  nodenext: 'nodenext',
  bundler: 'esnext',
};
const ENTRIES = [
  'puppeteer',
  'puppeteer-extra',
  'playwright',
  'chrome-remote-interface',
  'node-inspector',
  'session',
  'testing',
  'threads',
  'prometheus',
  'opentelemetry',
  'single-flight',
];

const root =
  "import { ReleaseBatcher } from 'cdp-release-batcher';\nexport const batcher: ReleaseBatcher = new ReleaseBatcher({ maxBatchSize: 8 });\n";
const all = `${root}${ENTRIES.map((entry, index) => `export * as entry${index} from 'cdp-release-batcher/${entry}';`).join('\n')}\nimport 'cdp-release-batcher/register';\n`;

export const rows = VERSIONS.flatMap((version) =>
  Object.entries(RESOLUTIONS)
    .filter(([resolution]) => !(resolution === 'node10' && version === '7')) // TypeScript 7 has it no more.
    .map(([moduleResolution, module]) => {
      const options = {
        module,
        moduleResolution,
        target: 'es2022',
        strict: true,
        noEmit: true,
        types: [],
        skipLibCheck: false,
      };
      const name = `tsconfig.${moduleResolution}.json`;
      const text = moduleResolution === 'node10' ? root : all;
      return {
        name: `types: TypeScript ${version}, ${moduleResolution}`,
        packages: { typescript: version },
        files: {
          [name]: JSON.stringify({ compilerOptions: options, files: [`uses-${moduleResolution}.ts`] }),
          [`uses-${moduleResolution}.ts`]: text,
        },
        attached: ['node', 'node_modules/typescript/bin/tsc', '-p', name],
      };
    }),
);
