// The library, its client and the script may each come from another realm or thread: nothing leans on `instanceof`
// or on being the main thread.
import { describe, expect, it } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';
import { WORK, WORK_DONE } from './work.ts';

const DIST = `file://${PACKAGE}/dist`;

describe('the same work comes to the same', () => {
  it('in a worker thread', async () => {
    const inWorker = `
      import { parentPort, workerData } from 'node:worker_threads';
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      globalThis.gc = runInNewContext('gc');
      const { default: puppeteer } = await import('file://${PACKAGE}/node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js');
      const { attach } = await import('${DIST}/clients/puppeteer/index.js');
      ${WORK}
      const launch = { ...workerData, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
      parentPort.postMessage(await work(await puppeteer.launch(launch), attach));`;
    const run = await runScript(`
      import { Worker } from 'node:worker_threads';
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inWorker)}));
      const worker = new Worker(url, { workerData: launchOptions });
      worker.on('message', (done) => console.log(JSON.stringify(done)));
      worker.on('exit', (code) => console.log('exit', code));`);
    expect({ ...run, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    const [done, exit] = run.stdout.trim().split('\n');
    expect(JSON.parse(String(done))).toEqual(WORK_DONE);
    expect(exit).toBe('exit 0');
  });

  it('in a worker thread that is terminated in the middle of it', async () => {
    const inWorker = `
      import { parentPort, workerData } from 'node:worker_threads';
      const { ReleaseBatcher } = await import('${DIST}/index.js');
      const batcher = new ReleaseBatcher();
      const session = { send: () => new Promise((resolve) => setImmediate(resolve)) };
      for (let id = 0; id < 100_000; id++) batcher.release(session, String(id));
      parentPort.postMessage('begun');
      setInterval(() => {}, 1e6);`;
    const run = await runScript(`
      import { Worker } from 'node:worker_threads';
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inWorker)}));
      for (let count = 0; count < 5; count++) {
        const worker = new Worker(url);
        await new Promise((resolve) => worker.once('message', resolve));
        console.log(await worker.terminate());
      }`);
    expect(run).toEqual({ code: 0, signal: null, stdout: '1\n'.repeat(5), stderr: '' });
  });

  it('with the script in a vm context, its handles and options of another realm', async () => {
    const run = await runScript(
      `import vm from 'node:vm';
      import puppeteer from 'puppeteer-core';
      import { attach } from 'cdp-release-batcher/puppeteer';
      const context = vm.createContext({ console, setImmediate, attach, puppeteer, launchOptions, gc: globalThis.gc });
      const source = \`${WORK.replaceAll('`', '\\`')}; (async () => console.log(JSON.stringify(await work(await puppeteer.launch(launchOptions), attach))))()\`;
      await vm.runInContext(source, context);`,
      { execArgv: ['--expose-gc'] },
    );
    expect({ ...run, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual(WORK_DONE);
  });

  it('with the library itself in a vm context, without a global of the main one but what it is given', async () => {
    const run = await runScript(
      `import vm from 'node:vm';
      import puppeteer from 'puppeteer-core';
      import { readFile } from 'node:fs/promises';
      const given = { console, process, setImmediate, setTimeout, clearTimeout, performance, PerformanceObserver, AbortSignal, URL };
      const context = vm.createContext({ ...given });
      const modules = new Map();
      async function load(url) {
        if (modules.has(url)) return modules.get(url);
        const loading = (async () => {
          if (!url.startsWith('file:')) {
            const original = await import(url);
            const names = Object.keys(original);
            return new vm.SyntheticModule(names, function () { for (const name of names) this.setExport(name, original[name]); }, { context });
          }
          return new vm.SourceTextModule(await readFile(new URL(url), 'utf8'), { context, identifier: url, initializeImportMeta: (meta) => { meta.url = url; } });
        })();
        modules.set(url, loading);
        return loading;
      }
      const entry = await load('${DIST}/clients/puppeteer/index.js');
      await entry.link((specifier, from) => load(specifier.startsWith('.') ? new URL(specifier, from.identifier).href : specifier));
      await entry.evaluate();
      const { attach } = entry.namespace;
      ${WORK}
      console.log(JSON.stringify(await work(await puppeteer.launch(launchOptions), attach)));`,
      { execArgv: ['--expose-gc', '--experimental-vm-modules', '--no-warnings'] },
    );
    expect({ ...run, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual(WORK_DONE);
  });
});
