// A browser that comes to the script by two ways, a library's and its own, is one browser in the doctor's account.
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Examination } from '../../src/cli/doctor/examination.ts';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/puppeteer-attachment.ts';
import type { BrowserLike } from '../../src/clients/puppeteer/structure.ts';

test('an attachment that is met again is counted once, and its browser closes as ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'examination-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'messages');
  const descriptor = openSync(file, 'w'); // Not closed: it is written to for as long as this process lives.
  const order = { descriptor, everyMs: undefined, startedAt: 0, writing: new SharedArrayBuffer(4) };
  const examination = new Examination(order);
  const attachment = { stats: () => ({ minted: 3, live: 2 }), lookAtHeaps() {} };
  let closes = 0;
  const browser = { close: () => ++closes };
  for (let way = 0; way < 2; way++) {
    examination.onAttached(attachment as unknown as PuppeteerAttachment, browser as unknown as BrowserLike);
  }
  examination.write('end');
  const [last = ''] = readFileSync(file, 'utf8').trim().split('\n').slice(-1);
  expect(JSON.parse(last)).toMatchObject({
    occasion: 'end',
    browsers: 1,
    stats: { minted: 3, live: 2 },
  });
  expect(browser.close()).toBe(1);
});
