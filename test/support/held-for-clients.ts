/**
 * The second judge of what a page's clients hold: the browser's own heap snapshot, which needs nothing of the page and
 * nothing of the client.
 */
import type { Page } from 'puppeteer-core';
import { lookAtHeap } from '../../src/observe/heap-look.ts';

/** How many handles the browser holds for the clients of a page, those of its console left out. */
export async function heldForClients(page: Page): Promise<number> {
  const session = await page.createCDPSession();
  const { targets } = await lookAtHeap([session], {
    maxHeapBytes: Number.POSITIVE_INFINITY,
    timeoutMs: 60_000,
  });
  await session.detach();
  const [{ held, heldByConsole } = { held: Number.NaN, heldByConsole: 0 }] = targets;
  return held - heldByConsole;
}
