// What the doctor writes down of the script's browsers: each once, by whichever ways it comes, and all of them together.
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Examination } from '../../src/cli/doctor/examination.ts';
import type { Message } from '../../src/cli/doctor/messages.ts';
import { PuppeteerAttachment } from '../../src/clients/puppeteer/puppeteer-attachment.ts';
import type { BrowserLike } from '../../src/clients/puppeteer/structure.ts';

/** It goes on writing, and so keeps its descriptor, for as long as this process lives. */
async function begin(): Promise<{ examination: Examination; messages: () => Message[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'examination-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'messages');
  const writing = new SharedArrayBuffer(4);
  const order = { descriptor: openSync(file, 'w'), everyMs: undefined, startedAt: 0, writing };
  const messages = (): Message[] => {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Message);
  };
  return { examination: new Examination(order), messages };
}

test('an attachment that is met again is counted once, and its browser closes as ever', async () => {
  const { examination, messages } = await begin();
  const attachment = { stats: () => ({ minted: 3, live: 2 }), lookAtHeaps() {} };
  let closes = 0;
  const browser = { close: () => ++closes };
  for (let way = 0; way < 2; way++) {
    examination.onAttached(attachment as unknown as PuppeteerAttachment, browser as unknown as BrowserLike);
  }
  examination.write('end');
  expect(messages().at(-1)).toMatchObject({
    occasion: 'end',
    browsers: 1,
    stats: { minted: 3, live: 2 },
  });
  expect(browser.close()).toBe(1);
});

test('a look at several browsers adds up their handles and their heaps', async () => {
  const { examination, messages } = await begin();
  const cost = { stacks: 1, elapsedMs: 1 };
  for (const pageHeapBytes of [5_000_000, 7_000_000]) {
    const leakReport = { pageHeapBytes, cost, onChange() {}, takePeakLive: () => 2, all: () => [] };
    const attachment = { stats: () => ({ live: 2 }), lookAtHeaps() {}, leakReport };
    examination.onAttached(attachment as unknown as PuppeteerAttachment, {} as BrowserLike);
  }
  await expect
    .poll(() => messages().findLast(({ kind }) => kind === 'sample'))
    .toMatchObject({ live: 4, heapBytes: 12_000_000 });
});

test('where others cannot be looked for, the browser closes all the same, and it is said why', async () => {
  const { examination, messages } = await begin();
  const attachment: PuppeteerAttachment = Object.create(PuppeteerAttachment.prototype, {
    stats: { value: () => ({ live: 0 }) },
    lookAtHeaps: { value() {} },
    leakReport: { value: undefined },
    connection: { value: undefined },
    hold: { value() {}, configurable: true },
  });
  const browser = { close: () => 'closed' };
  examination.onAttached(attachment, browser as unknown as BrowserLike);
  expect(await browser.close()).toBe('closed');
  const why = 'its browser is not driven over the Chrome DevTools Protocol';
  expect(messages().find(({ kind }) => kind === 'others')).toMatchObject({
    look: { targets: [], unseen: [{ type: 'browser', why }] },
  });
});
