// Whoever spies on the classes of Playwright's server half, before or after it was attached to, sees what it sends and gets.
import { expect, it, vi } from 'vitest';
import type { CdpSession, ChannelOwner, ServerBrowser } from '../../src/clients/playwright/structure.ts';
import { attachedPlaywright, launchByPlaywright, openPage } from '../support/playwright.ts';

it('a spy on the class of the sessions sees the commands of a page that is attached to', async () => {
  const browser = await launchByPlaywright();
  attachedPlaywright(browser, browser);
  const page = await openPage(browser);
  const owner = browser as unknown as ChannelOwner;
  const server = owner._connection.toImpl?.(owner) as ServerBrowser;
  const prototype = Object.getPrototypeOf(server._connection.rootSession) as CdpSession;
  const send = vi.spyOn(prototype, 'send');
  try {
    await page.evaluate(() => 1);
    const sent = send.mock.calls.map(([method]) => method);
    expect(sent).toContain('Runtime.callFunctionOn');
  } finally {
    send.mockRestore();
  }
});
