// A session that the script made by the connection itself: of such a one Puppeteer knows no target, and throws where it
// is asked for it. It is attached to all the same.
import type { CDPSession } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';

describe.each(PUPPETEERS)('with $name', ({ puppeteer }) => {
  it('is released of what is disposed of in it, and its events arrive while leaks are traced', async () => {
    const browser = await launchChromium({}, puppeteer);
    const page = await browser.newPage();
    const asked = await page.createCDPSession();
    const { targetInfo } = await asked.send('Target.getTargetInfo');
    const session = (await asked.connection()?.createSession(targetInfo)) as CDPSession;
    expect(() => (session as CdpSessionLike).target?.()).toThrow('Target must exist');

    const releases = attached(session, { traceLeaks: true });
    const { result } = await session.send('Runtime.evaluate', { expression: '({})' });
    await session.send('Runtime.releaseObject', { objectId: String(result.objectId) });
    expect(await releases.flush()).toMatchObject({ complete: true, released: 1 });

    const heard = new Promise((resolve) => session.once('Page.lifecycleEvent', resolve));
    await session.send('Page.enable');
    await session.send('Page.setLifecycleEventsEnabled', { enabled: true });
    expect(await heard).toMatchObject({ name: expect.any(String) });
  });
});
