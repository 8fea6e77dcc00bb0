// A handle that is used after its scope has ended: whenever that is, and whatever has become of it in the browser by then,
// the program is told the same, at once.
import { expect, it } from 'vitest';
import { attach as attachPuppeteer } from '../../src/clients/puppeteer/index.ts';
import { EndedIds } from '../../src/handles/ended-ids.ts';
import { launchChromium } from '../support/chromium.ts';
import { AttachedPeer } from './attached-peer.ts';

const TOLD = /inside a scope that has ended, one of scope\(\),.*escape\(handle\)/;
const TOLD_OF_BLOCK = /inside a scope that has ended, one of openScope\(\),.*escape\(handle\)/;

it.each([
  ['before its release is sent', async () => {}],
  ['after its release', (peer: AttachedPeer) => peer.attachment.flush()],
])('%s', async (_, wait) => {
  await using peer = new AttachedPeer();
  const attached = peer.open();
  const { session } = attached;
  const outer = await session.send('Runtime.evaluate', { expression: '({})' });
  const [inner, escaped] = await peer.attachment.scope(async () => {
    const answers = [1, 2].map(() => session.send('Runtime.evaluate', { expression: '({})' }));
    const [first, second] = (await Promise.all(answers)) as { result: { type: string; objectId: string } }[];
    if (second !== undefined) peer.attachment.escape(second.result);
    return [first, second];
  });
  await wait(peer);
  const sent = peer.peer.commands.length;
  const use = (answer: unknown): Promise<unknown> =>
    session.send('Runtime.getProperties', {
      objectId: (answer as { result: { objectId: string } }).result.objectId,
    });
  await expect(use(inner)).rejects.toThrow(TOLD);
  await expect(use(inner)).rejects.toMatchObject({ code: 'ERR_HANDLE_SCOPE_ENDED' });
  expect(peer.peer.commands.slice(sent).map(({ method }) => method)).not.toContain('Runtime.getProperties');
  await use(escaped);
  await use(outer);
});

it("of Puppeteer's handles, as the one that is called and as an argument, and to dispose of them is no mistake", async () => {
  await using browser = await launchChromium();
  using releases = attachPuppeteer(browser);
  const page = await browser.newPage();
  const handle = await releases.scope(() => page.evaluateHandle(() => ({ answer: 42 })));
  for (let time = 0; time < 2; time++) {
    await expect(handle.evaluate((object) => object.answer)).rejects.toThrow(TOLD);
    await expect(page.evaluate((object) => object.answer, handle)).rejects.toThrow(TOLD);
    await releases.flush();
  }
  await handle.dispose();
  const scope = releases.openScope(page);
  const inBlock = await page.evaluateHandle(() => ({ answer: 42 }));
  scope.end();
  for (let time = 0; time < 2; time++) {
    await expect(inBlock.evaluate((object) => object.answer)).rejects.toThrow(TOLD_OF_BLOCK);
    await releases.flush();
  }
});

it('what ended with scopes is remembered by a bit each, and the oldest is forgotten', () => {
  const ids = new EndedIds();
  for (let number = 1; number <= 1_000_000; number += 3) ids.add('1.2.', `1.2.${number}`);
  for (const [id, isEnded] of [
    ['1.2.999999', false],
    ['1.2.1000000', true],
    ['1.2.999997', true],
    ['1.3.999997', false],
    ['1.2.1', false],
  ] as const) {
    expect(ids.has(id), id).toBe(isEnded);
  }
  for (let count = 0; count < 5_000; count++) ids.add('', `of another form ${count}`);
  expect(ids.has('of another form 4999')).toBe(true);
  expect(ids.has('of another form 1')).toBe(false);
});
