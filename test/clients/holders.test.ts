// Several parts of a program may attach to the same, each for itself: what one took it gives back, and the others keep
// what they have. The last to give it back detaches.
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { attach as attachRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import { attach as attachPuppeteer } from '../../src/clients/puppeteer/index.ts';
import { attach as attachSession } from '../../src/clients/session.ts';
import type { Attachment } from '../../src/handles/attachment.ts';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { launchChromium } from '../support/chromium.ts';

class Connection extends EventEmitter {
  async send(_method: string): Promise<unknown> {
    return {};
  }
  close(): void {}
}

describe.each([
  ['a session', attachSession],
  ['chrome-remote-interface', attachRemoteInterface],
])('of %s', (_, attach) => {
  const open = (): ((options?: { signal?: AbortSignal }) => Attachment) => {
    const connection = new Connection();
    return (options) => attach(connection, options);
  };

  it('each holder gives back its own', () => {
    const take = open();
    const first = take();
    {
      using second = take();
      expect(second).toBe(first);
    }
    expect(first.detached).toBe(false);
    const third = take();
    first.detach();
    expect(third.detached).toBe(false);
    third.detach();
    expect(third.detached).toBe(true);
    third.detach();
    expect(take().detached).toBe(false);
  });

  it('a signal gives back what came with it', () => {
    const take = open();
    const first = take();
    const controller = new AbortController();
    take({ signal: controller.signal });
    controller.abort();
    expect(first.detached).toBe(false);
    take({ signal: controller.signal }); // Has given it back already.
    first.detach();
    expect(first.detached).toBe(true);
  });
});

it("a helper that attaches to its page leaves the browser's attachment as it is", async () => {
  await using browser = await launchChromium();
  const page = await browser.newPage();
  const releases = attachPuppeteer(browser);
  {
    using _ = attachPuppeteer(page);
    await page.evaluateHandle(() => ({}));
  }
  await expectNoLeaks(page, async () => {});
  expect(releases.detached).toBe(false);
  const { minted } = releases.stats();
  await page.evaluateHandle(() => ({}));
  expect(releases.stats().minted).toBe(minted + 1);
  releases.detach();
  expect(releases.detached).toBe(true);
});

it('what is attached to by nobody but the test of a body is detached after it, however many run at once', async () => {
  await using browser = await launchChromium();
  const page = await browser.newPage();
  await Promise.all([expectNoLeaks(page, async () => {}), expectNoLeaks(page, async () => {})]);
  const releases = attachPuppeteer(page);
  expect(releases.stats().minted).toBe(0);
  releases.detach();
  expect(releases.detached).toBe(true);
});

it('with its browser it ends, whoever holds it', async () => {
  const browser = await launchChromium();
  const releases = attachPuppeteer(browser);
  attachPuppeteer(await browser.newPage());
  await browser.close();
  await expect.poll(() => releases.detached).toBe(true);
});
