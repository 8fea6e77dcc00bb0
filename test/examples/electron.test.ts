/**
 * The adapter for Electron's `debugger` that docs/clients.md has, as pasted. Electron itself comes by a download that npm's
 * registry does not have; so its `webContents.debugger` is played, over a page of a real Chromium.
 */
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { CDPSession } from 'puppeteer-core';
import { expect, it, onTestFinished } from 'vitest';
import type { SessionAttachment } from '../../src/clients/session.ts';
import { launchChromium, openPage } from '../support/chromium.ts';
import { codeBlocks } from '../support/documents.ts';
import { PACKAGE } from '../support/script.ts';

/** What Electron has: `attach`, `sendCommand`, one event for all of the protocol's, and one for the end. */
class Debugger extends EventEmitter {
  readonly session: CDPSession;

  constructor(session: CDPSession) {
    super();
    this.session = session;
  }

  attach(_version: string): void {
    this.session.on('Runtime.consoleAPICalled', (params) => {
      this.emit('message', {}, 'Runtime.consoleAPICalled', params, '');
    });
  }

  sendCommand(method: string, params?: object): Promise<unknown> {
    return Reflect.apply(this.session.send, this.session, [method, params]);
  }
}

interface Adapted {
  readonly session: { send(method: string, params?: object): Promise<unknown> };
  readonly releases: SessionAttachment;
}

async function adapter(): Promise<{ attachTo(webContents: { debugger: Debugger }): Adapted }> {
  const block = (await codeBlocks('docs/clients.md')).find(({ text }) =>
    text.includes('webContents.debugger'),
  );
  const folder = await mkdtemp(join(tmpdir(), 'electron-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(PACKAGE, join(folder, 'node_modules/cdp-release-batcher'));
  await writeFile(join(folder, 'adapter.mjs'), block?.text ?? '');
  return import(pathToFileURL(join(folder, 'adapter.mjs')).href);
}

it('releases what it is given, by one listener an event, until the debugger is detached', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const page = await openPage(await launchChromium());
  const webContents = { debugger: new Debugger(await page.createCDPSession()) };

  const { attachTo } = await adapter();
  const { session, releases } = attachTo(webContents);
  const events = webContents.debugger.eventNames();
  expect(events.map((name) => webContents.debugger.listenerCount(name))).toEqual([1, 1]);
  await session.send('Runtime.enable');
  await releases.scope(async () => {
    for (let count = 0; count < 20; count++) {
      await session.send('Runtime.evaluate', { expression: 'console.log({}), ({})' });
    }
  });
  const kept = await session.send('Runtime.evaluate', { expression: '({})' });
  await releases.flush();
  // What the console printed came by events, which belong to no scope.
  expect(releases.stats()).toMatchObject({ minted: 41, released: 20, live: 21 });

  webContents.debugger.emit('detach', {}, 'target closed');
  await releases.flush();
  expect(releases.stats()).toMatchObject({ live: 0, failed: 0, timedOut: 0 });
  expect(kept).toHaveProperty('result.objectId');
  await nextTurn();
  expect(warnings).toEqual([]);
});
