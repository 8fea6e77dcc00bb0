/** Handles made beforehand and dropped, by every client and in every way that there is. */

import { type Measurement, onPage } from './sampling/measurement.ts';
import { releaseByFrames, releaseByGroup } from './work/bare-websocket.ts';
import {
  collectHandles,
  disposeAll,
  disposeAllMintedSingly,
  disposeByUsing,
  disposeSerially,
  endScope,
} from './work/bulk.ts';
import { collectByHand } from './work/collected-by-hand.ts';
import {
  disposeByPlaywright,
  releaseByAttachedRemoteInterface,
  releaseByBatcher,
  releaseByRemoteInterface,
  sendByAttachedPlaywright,
  sendByPlaywright,
} from './work/other-clients.ts';
import { releaseByConnection } from './work/puppeteer-connection.ts';

const BULK = { handles: 20_000, quickHandles: 20_000, warmUp: 5_000 };
const SERIAL = { handles: 20_000, quickHandles: 2_000, warmUp: 500 };

export const BULK_MEASUREMENTS: readonly Measurement[] = [
  {
    id: 'bulk/puppeteer-all',
    title: 'Puppeteer, Promise.all(dispose)',
    ...BULK,
    run: onPage('plain', disposeAll),
  },
  {
    id: 'bulk/puppeteer-serial',
    title: 'Puppeteer, await dispose()',
    ...SERIAL,
    run: onPage('plain', disposeSerially),
  },
  { id: 'bulk/puppeteer-using', title: 'Puppeteer, using', ...BULK, run: onPage('plain', disposeByUsing) },
  {
    id: 'bulk/floor-all',
    title: 'free send, Promise.all(dispose)',
    ...BULK,
    run: onPage('floor', notReleased(disposeAll)),
  },
  {
    id: 'bulk/floor-serial',
    title: 'free send, await dispose()',
    ...BULK,
    run: onPage('floor', notReleased(disposeSerially)),
  },
  {
    id: 'bulk/bare-websocket',
    title: 'bare WebSocket, prebuilt frames, 64 a write',
    ...BULK,
    needs: ['ws'],
    run: onPage('plain', releaseByFrames(64)),
  },
  {
    id: 'bulk/bare-websocket-single',
    title: 'bare WebSocket, prebuilt frames, one a write',
    ...BULK,
    needs: ['ws'],
    run: onPage('plain', releaseByFrames(1)),
  },
  {
    id: 'bulk/puppeteer-connection',
    title: 'Puppeteer’s connection, past its bookkeeping',
    ...BULK,
    run: onPage('plain', releaseByConnection()),
  },
  {
    id: 'bulk/puppeteer-connection-512',
    title: 'Puppeteer’s connection, 512 under way',
    ...BULK,
    run: onPage('plain', releaseByConnection(512)),
  },
  {
    id: 'bulk/release-object-group',
    title: 'one releaseObjectGroup',
    ...BULK,
    needs: ['ws'],
    run: onPage('plain', releaseByGroup),
  },
  {
    id: 'bulk/remote-interface-all',
    title: 'chrome-remote-interface, all at once',
    ...BULK,
    needs: ['chrome-remote-interface'],
    run: onPage('plain', releaseByRemoteInterface(Number.POSITIVE_INFINITY)),
  },
  {
    id: 'bulk/remote-interface-64',
    title: 'chrome-remote-interface, 64 at a time',
    ...BULK,
    needs: ['chrome-remote-interface'],
    run: onPage('plain', releaseByRemoteInterface(64)),
  },
  {
    id: 'bulk/remote-interface-attached',
    title: 'chrome-remote-interface, attached, all at once',
    ...BULK,
    needs: ['chrome-remote-interface'],
    run: onPage('plain', releaseByAttachedRemoteInterface({ track: false })),
  },
  {
    id: 'bulk/remote-interface-tracked',
    title: 'chrome-remote-interface, attached with track: true, all at once',
    ...BULK,
    needs: ['chrome-remote-interface'],
    run: onPage('plain', releaseByAttachedRemoteInterface({ track: true })),
  },
  {
    id: 'bulk/playwright-dispose',
    title: 'Playwright, Promise.all(dispose)',
    ...BULK,
    needs: ['playwright-core'],
    run: onPage('plain', disposeByPlaywright),
  },
  {
    id: 'bulk/playwright-send',
    title: 'Playwright, CDPSession.send',
    ...BULK,
    needs: ['playwright-core'],
    run: onPage('plain', sendByPlaywright),
  },
  {
    id: 'bulk/playwright-attached',
    title: 'Playwright, CDPSession.send, attached',
    ...BULK,
    needs: ['playwright-core'],
    run: onPage('plain', sendByAttachedPlaywright),
  },
  {
    id: 'bulk/batcher-per-id',
    title: 'ReleaseBatcher, ids of a CDPSession',
    ...BULK,
    run: onPage('plain', releaseByBatcher),
  },
  {
    id: 'bulk/attached-all',
    title: 'attached, Promise.all(dispose)',
    ...BULK,
    run: onPage('attached', disposeAll),
  },
  {
    id: 'bulk/attached-all-singly',
    title: 'attached, Promise.all(dispose), minted one by one',
    ...BULK,
    quickHandles: 2_000,
    warmUp: 500,
    run: onPage('attached', disposeAllMintedSingly),
  },
  {
    id: 'bulk/attached-serial',
    title: 'attached, await dispose()',
    ...BULK,
    run: onPage('attached', disposeSerially),
  },
  { id: 'bulk/attached-using', title: 'attached, using', ...BULK, run: onPage('attached', disposeByUsing) },
  {
    id: 'bulk/attached-per-id',
    title: 'attached, groups: false, Promise.all(dispose)',
    ...BULK,
    run: onPage('attached', disposeAll, { groups: false }),
  },
  {
    id: 'bulk/attached-scope',
    title: 'attached, end of a scope',
    ...BULK,
    run: onPage('attached', endScope),
  },
  {
    id: 'bulk/attached-collection',
    title: 'attached, a collection',
    ...BULK,
    nodeFlags: ['--expose-gc'],
    run: onPage('attached', collectHandles),
  },
  {
    id: 'bulk/collection-by-hand',
    title: 'a collection, counted by hand',
    ...BULK,
    nodeFlags: ['--expose-gc'],
    run: onPage('plain', collectByHand),
  },
];

/** Nothing is let go of where nothing is released. */
function notReleased(work: typeof disposeAll): typeof disposeAll {
  return async (driven, handles) => ({ ...(await work(driven, handles)), mustLetGo: false });
}
