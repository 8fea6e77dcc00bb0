/** All measurements, by id. */
import { releaseByFrames, releaseByGroup } from './bare-websocket.ts';
import { collectHandles, disposeAll, disposeByUsing, disposeSerially, endScope } from './bulk.ts';
import { enqueueInBursts } from './enqueue.ts';
import {
  disposeInLoop,
  forgetInLoop,
  forgetLarge,
  keepFew,
  queryAndDispose,
  queryAndForget,
  throwInLoop,
} from './loops.ts';
import { type Measurement, onPage } from './measurement.ts';
import {
  disposeByPlaywright,
  releaseByBatcher,
  releaseByRemoteInterface,
  sendByPlaywright,
} from './other-clients.ts';

const BULK = { handles: 20_000, quickHandles: 20_000, warmUp: 2_000 };
const SERIAL = { handles: 20_000, quickHandles: 2_000, warmUp: 500 };
const LOOP = { handles: 4_000, quickHandles: 1_000, warmUp: 300 };
const QUERY = { handles: 20_000, quickHandles: 4_000, warmUp: 400 };
const LARGE = { handles: 20_000, quickHandles: 1_500, warmUp: 0, mostRounds: 2 };

const GROWTH = [1_000, 10_000, 100_000, 1_000_000];
/** A million of Puppeteer's handles do not fit into a default heap. */
const ROOMY = ['--max-old-space-size=8192'];

export const MEASUREMENTS: readonly Measurement[] = [
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
    title: 'bare WebSocket, prebuilt frames',
    ...BULK,
    needs: ['ws'],
    run: onPage('plain', releaseByFrames),
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
    id: 'forget/puppeteer',
    title: 'Puppeteer, forgetting (leaks)',
    ...LOOP,
    run: onPage('plain', forgetInLoop),
  },
  {
    id: 'forget/puppeteer-dispose',
    title: 'Puppeteer, disposing each',
    ...LOOP,
    run: onPage('plain', disposeInLoop),
  },
  { id: 'forget/attached', title: 'attached, forgetting', ...LOOP, run: onPage('attached', forgetInLoop) },
  {
    id: 'forget/attached-dispose',
    title: 'attached, disposing each',
    ...LOOP,
    run: onPage('attached', disposeInLoop),
  },
  {
    id: 'query/puppeteer-dispose',
    title: 'Puppeteer, disposing each',
    ...QUERY,
    run: onPage('plain', queryAndDispose),
  },
  {
    id: 'query/attached-dispose',
    title: 'attached, disposing each',
    ...QUERY,
    run: onPage('attached', queryAndDispose),
  },
  {
    id: 'query/attached-forget',
    title: 'attached, forgetting',
    ...QUERY,
    run: onPage('attached', queryAndForget),
  },
  {
    id: 'keep/attached',
    title: 'attached, keeping 1 in 100',
    handles: 20_000,
    quickHandles: 2_000,
    warmUp: 0,
    run: onPage('attached', keepFew),
  },
  { id: 'throw/puppeteer', title: 'Puppeteer (leaks)', ...LOOP, run: onPage('plain', throwInLoop) },
  { id: 'throw/attached', title: 'attached', ...LOOP, run: onPage('attached', throwInLoop) },
  { id: 'large/puppeteer', title: 'Puppeteer, forgetting', ...LARGE, run: onPage('plain', forgetLarge) },
  { id: 'large/attached', title: 'attached, forgetting', ...LARGE, run: onPage('attached', forgetLarge) },
  ...GROWTH.map((handles) => ({
    id: `growth/${handles}`,
    title: `attached, a scope over ${handles.toLocaleString('en-US')}`,
    handles,
    // A quick run says the same of a tenth as many.
    quickHandles: handles === 1_000 ? handles : handles / 10,
    warmUp: 10_000,
    nodeFlags: ROOMY,
    run: onPage('attached', (driven, count) => endScope(driven, count, 1_000)),
  })),
  {
    id: 'enqueue/release',
    title: 'batcher.release()',
    handles: 2_000_000,
    quickHandles: 500_000,
    warmUp: 100_000,
    run: (_workshop, count) => enqueueInBursts(count),
  },
];

export function measurementOf(id: string): Measurement {
  const measurement = MEASUREMENTS.find((candidate) => candidate.id === id);
  if (measurement === undefined) throw new Error(`no measurement is called ${id}`);
  return measurement;
}

/** Nothing is let go of where nothing is released. */
function notReleased(work: typeof disposeAll): typeof disposeAll {
  return async (driven, handles) => ({ ...(await work(driven, handles)), mustLetGo: false });
}
