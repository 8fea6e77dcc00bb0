// Each example from a copied folder, with what `npm install` gives today.
import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);
/** Those of an extension and of `@playwright/test` are run by tests; that of BullMQ needs a Redis. */
const FOLDERS = ['', 'engines/', 'piscina/'];
const NOT_RUN = ['engines/shop.mjs', 'engines/bullmq.mjs', 'engines/bullmq-worker.mjs', 'piscina/parse.mjs'];

const names = FOLDERS.flatMap((folder) =>
  readdirSync(new URL(`examples/${folder}`, root))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => `${folder}${name}`),
);

/** Runs one beside a browser that listens at PORT; a server is ended when it is up. */
const RUN = `import { spawn } from 'node:child_process';
import { once } from 'node:events';
import puppeteer from 'puppeteer';
const [example] = process.argv.slice(2);
const browser = await puppeteer.launch(JSON.parse(process.env.LAUNCH_OPTIONS));
const { port } = new URL(browser.wsEndpoint());
const env = { ...process.env, PORT: example.endsWith('prometheus.mjs') ? '0' : port };
const child = spawn(process.execPath, ['--import', './launches-here.mjs', example], { env, stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.on('data', (text) => {
  process.stdout.write(text);
  if (/^metrics at/m.test(String(text))) child.kill('SIGTERM');
});
const [code] = await once(child, 'exit');
await browser.close();
process.exitCode = code ?? 1;
`;
const files = {
  ...Object.fromEntries(
    names.map((name) => [`examples/${name}`, readFileSync(new URL(`examples/${name}`, root), 'utf8')]),
  ),
  'launches-here.mjs': readFileSync(new URL('test/examples/launches-here.mjs', root), 'utf8'),
  'run.mjs': RUN,
};

/** What the examples import, each by its own name. */
const packages = Object.fromEntries(
  [
    'puppeteer',
    'playwright',
    'chrome-remote-interface',
    'ws',
    'prom-client',
    '@opentelemetry/api',
    '@opentelemetry/sdk-metrics',
    '@crawlee/puppeteer',
    'puppeteer-cluster',
    'puppeteer-extra',
    'puppeteer-extra-plugin-stealth',
    'piscina',
  ].map((name) => [name, 'latest']),
);

export const rows = names
  .filter((name) => !NOT_RUN.includes(name))
  .map((name) => ({
    name: `example ${name}`,
    packages,
    files,
    attached: ['node', 'run.mjs', `examples/${name}`],
  }));
