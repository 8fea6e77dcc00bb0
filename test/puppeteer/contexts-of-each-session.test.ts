// The browser counts the contexts of each process of its own, so a frame of another site, which has a process and a session
// of its own, may give one of its contexts the id that Puppeteer's isolated world has in the page's session. Which contexts
// are pages' own is known by session: a scope must neither end what Puppeteer keeps in the one nor spare what it brings
// for the caller in the other.
import type { Browser, Frame, Page, PuppeteerNode } from 'puppeteer-core';
import { expect, it } from 'vitest';
import type { FrameLike } from '../../src/clients/puppeteer/structure.ts';
import { attached } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';
import { openSite } from '../support/site.ts';
import { sized } from '../support/sized.ts';

const PARAGRAPHS = '<p></p>'.repeat(20);
/** Pages whose frame of another site has so many frames of its own. */
const FRAMES = [3, 4, 5, 6, 12];
const MOST_TRIED = 60;
const PAGES = Object.fromEntries(
  FRAMES.flatMap((count) => [
    [
      `/main${count}`,
      `${PARAGRAPHS}<script>
        const frame = document.createElement('iframe');
        frame.src = 'http://127.0.0.1:' + location.port + '/inner${count}';
        document.body.append(frame);
      </script>`,
    ],
    [`/inner${count}`, PARAGRAPHS + '<iframe srcdoc="<p></p>"></iframe>'.repeat(count)],
  ]),
);

/** Puppeteer's own view of a frame; not public. */
interface FrameInside extends FrameLike {
  isolatedRealm(): { readonly context?: { readonly id?: number } };
}
const inside = (frame: Frame): FrameInside => frame as unknown as FrameInside;

function foreignFrameOf(page: Page): Frame {
  const found = page.frames().find((frame) => inside(frame).client !== inside(page.mainFrame()).client);
  if (found === undefined) throw new Error('no frame has a session of its own');
  return found;
}

/** A page with a frame of another site, one of whose contexts has the id of the page's isolated world. */
async function openPageWhereIdsMeet(browser: Browser, here: string): Promise<Page> {
  for (let attempt = 0; attempt < MOST_TRIED; attempt++) {
    const page = await browser.newPage();
    await page.goto(`${here}/main${FRAMES[attempt % FRAMES.length]}`, { waitUntil: 'networkidle0' });
    if (attempt % 2 === 1) await countOnByOne(page);
    const kept = inside(page.mainFrame()).isolatedRealm().context?.id;
    const meets = page
      .frames()
      .some((frame) => frame !== page.mainFrame() && inside(frame).mainRealm?.().context?.id === kept);
    if (meets) return page;
    await page.close();
  }
  throw new Error(`in none of ${MOST_TRIED} pages did two ids meet`);
}

/** Frames get their two contexts in turns, so that all of their main worlds may have odd ids, and the page's own world an even one. */
async function countOnByOne(page: Page): Promise<void> {
  const session = await page.createCDPSession();
  const { frameTree } = await session.send('Page.getFrameTree');
  await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  await session.detach();
  await page.reload({ waitUntil: 'networkidle0' });
}

/** The oldest and the newest; what lies between in the long tests. */
it.each(sized(['puppeteer-core-22', 'puppeteer-core'], ['puppeteer-core-24']))(
  'attached to a page with frames of other sites, %s goes on, and scopes end what was minted in the frames',
  async (name) => {
    await using site = await openSite(PAGES);
    const { default: puppeteer } = (await import(name)) as { default: PuppeteerNode };
    const browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    const page = await openPageWhereIdsMeet(browser, site.here);
    const releases = attached(page);

    await releases.scope(async () => expect(await page.$$('p')).toHaveLength(20));
    await releases.flush();
    expect(await page.$$('p'), 'what Puppeteer keeps for itself is still there').toHaveLength(20);

    const frame = foreignFrameOf(page);
    await frame.$$('p'); // Puppeteer brings what it keeps.
    await releases.flush();
    const before = releases.stats().live;
    await releases.scope(async () => expect(await frame.$$('p')).toHaveLength(20));
    await releases.flush();
    expect(releases.stats().live, 'what the scope minted in the frame').toBeLessThanOrEqual(before);
  },
);
