/** All measurements, by id. */
import { BULK_MEASUREMENTS } from './bulk-measurements.ts';
import { PLAYWRIGHT_MEASUREMENTS } from './playwright/measurements.ts';
import { farAway, inOwnBrowser, type Measurement, onPage } from './sampling/measurement.ts';
import { SCRIPT_MEASUREMENTS } from './scripts/measurements.ts';
import { disposeAll, disposeSerially, endScope } from './work/bulk.ts';
import { closeBrowser, closeContext, closeOnePage, detachFromAll } from './work/closing.ts';
import { enqueueCold, enqueueInBursts } from './work/enqueue.ts';
import { releaseOnFarm, releaseOnOneSession, waitBehindBusySession } from './work/farm.ts';
import {
  disposeInLoop,
  forgetInLoop,
  forgetLarge,
  keepFew,
  queryAndDispose,
  queryAndForget,
  throwInLoop,
} from './work/loops.ts';
import { disposeOnManyPages } from './work/many-pages.ts';
import { shareBrowser } from './work/shared-browser.ts';
import { openScopesAttached, openScopesPlain } from './work/waiting-groups.ts';

const LOOP = { handles: 10_000, quickHandles: 1_000, warmUp: 1_000 };
/** Each of these runs as long again before its clock starts. */
const FORGET = { ...LOOP, quickHandles: 400 };
const QUERY = { handles: 20_000, quickHandles: 4_000, warmUp: 400 };
const LARGE = { handles: 20_000, quickHandles: 1_500, warmUp: 0, mostRounds: 2 };

const TRANSPORT = { handles: 20_000, quickHandles: 5_000, warmUp: 1_000 };
const PAGES = { handles: 25_000, quickHandles: 5_000, warmUp: 0, mostRounds: 3 };
const CLOSING = { handles: 100_000, quickHandles: 20_000, warmUp: 0 };
const WAITING = { handles: 100_000, quickHandles: 10_000, warmUp: 0, mostRounds: 3 };
const FARM = { handles: 500_000, quickHandles: 50_000, warmUp: 10_000 };

/** Sizes, and what a quick run takes for them. */
const GROWTH = [
  [1_000, 1_000],
  [10_000, 5_000],
  [100_000, 20_000],
  [1_000_000, 50_000],
] as const;
/** A million of Puppeteer's handles do not fit into a default heap. */
const ROOMY = ['--max-old-space-size=8192'];

export const MEASUREMENTS: readonly Measurement[] = [
  ...BULK_MEASUREMENTS,
  {
    id: 'forget/puppeteer',
    title: 'Puppeteer, forgetting (leaks)',
    ...FORGET,
    run: onPage('plain', forgetInLoop),
  },
  {
    id: 'forget/puppeteer-dispose',
    title: 'Puppeteer, disposing each',
    ...FORGET,
    run: onPage('plain', disposeInLoop),
  },
  { id: 'forget/attached', title: 'attached, forgetting', ...FORGET, run: onPage('attached', forgetInLoop) },
  {
    id: 'forget/attached-dispose',
    title: 'attached, disposing each',
    ...FORGET,
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
  ...GROWTH.map(([handles, quickHandles]) => ({
    id: `growth/${handles}`,
    title: (size: string) => `attached, a scope over ${size}`,
    handles,
    quickHandles,
    mostRounds: handles === 1_000_000 ? 3 : 100,
    warmUp: 2_000,
    nodeFlags: ROOMY,
    run: onPage('attached', (driven, count) => endScope(driven, count, 1_000)),
  })),
  ...[5, 20, 80].flatMap((delayMs): Measurement[] => {
    const size = { handles: 2_000, quickHandles: 500, warmUp: 0 };
    const serial = { handles: 100, quickHandles: 20, warmUp: 0 };
    const title = `${delayMs} ms each way:`;
    const remote = (
      id: string,
      ...[variant, work]: Parameters<typeof onPage>
    ): Pick<Measurement, 'id' | 'run'> => ({
      id: `remote/${id}-${delayMs}`,
      run: farAway(delayMs, onPage(variant, work)),
    });
    return [
      {
        ...remote('puppeteer-serial', 'plain', disposeSerially),
        ...serial,
        title: `${title} Puppeteer, await dispose()`,
      },
      {
        ...remote('attached-serial', 'attached', disposeSerially),
        ...size,
        title: `${title} attached, await dispose()`,
      },
      {
        ...remote('puppeteer-all', 'plain', disposeAll),
        ...size,
        title: `${title} Puppeteer, Promise.all(dispose)`,
      },
      {
        ...remote('attached-all', 'attached', disposeAll),
        ...size,
        title: `${title} attached, Promise.all(dispose)`,
      },
      {
        ...remote('attached-scope', 'attached', endScope),
        ...size,
        title: `${title} attached, end of a scope`,
      },
    ];
  }),
  ...(['pipe', 'websocket'] as const).flatMap((transport): Measurement[] => [
    {
      id: `transport/puppeteer-all-${transport}`,
      title: `${transport}: Puppeteer, Promise.all(dispose)`,
      ...TRANSPORT,
      run: inOwnBrowser(transport, 'plain', disposeAll),
    },
    {
      id: `transport/attached-all-${transport}`,
      title: `${transport}: attached, Promise.all(dispose)`,
      ...TRANSPORT,
      run: inOwnBrowser(transport, 'attached', disposeAll),
    },
  ]),
  {
    id: 'pages/puppeteer-all',
    title: 'Puppeteer, Promise.all(dispose)',
    ...PAGES,
    run: onPage('plain', disposeOnManyPages),
  },
  {
    id: 'pages/attached-all',
    title: 'attached, Promise.all(dispose)',
    ...PAGES,
    run: onPage('attached', disposeOnManyPages),
  },
  ...(['plain', 'attached'] as const).flatMap((variant): Measurement[] => {
    const [name, title] =
      variant === 'plain' ? (['puppeteer', 'Puppeteer'] as const) : (['attached', 'attached'] as const);
    return [
      {
        id: `closing/${name}-page`,
        title: `${title}, page.close()`,
        ...CLOSING,
        run: onPage(variant, closeOnePage),
      },
      {
        id: `closing/${name}-context`,
        title: `${title}, context.close()`,
        ...CLOSING,
        run: onPage(variant, closeContext),
      },
      {
        id: `closing/${name}-browser`,
        title: `${title}, browser.close()`,
        ...CLOSING,
        run: inOwnBrowser('websocket', variant, closeBrowser),
      },
    ];
  }),
  {
    id: 'closing/attached-detach',
    title: 'attached, detach()',
    ...CLOSING,
    run: onPage('attached', detachFromAll),
  },
  {
    id: 'waiting/plain',
    title: 'no attachment',
    ...WAITING,
    run: (_workshop, count) => openScopesPlain(count),
  },
  {
    id: 'waiting/attached',
    title: 'attached, a scope each',
    ...WAITING,
    run: (_workshop, count) => openScopesAttached(count),
  },
  {
    id: 'farm/one-session',
    title: 'all on 1 session',
    ...FARM,
    run: (_workshop, count) => releaseOnOneSession(count),
  },
  {
    id: 'farm/sessions',
    title: 'spread over 5,000 sessions',
    ...FARM,
    run: (_workshop, count) => releaseOnFarm(count),
  },
  {
    id: 'farm/fairness',
    title: 'one handle behind a session that has all',
    ...FARM,
    run: (_workshop, count) => waitBehindBusySession(count),
  },
  {
    id: 'flight/lazy-browser',
    title: 'lazyBrowser(connect)',
    handles: 1_000,
    quickHandles: 100,
    warmUp: 0,
    mostRounds: 3,
    run: shareBrowser,
  },
  ...SCRIPT_MEASUREMENTS,
  ...PLAYWRIGHT_MEASUREMENTS,
  {
    id: 'enqueue/release',
    title: 'batcher.release()',
    handles: 2_000_000,
    quickHandles: 500_000,
    warmUp: 100_000,
    run: (_workshop, count) => enqueueInBursts(count),
  },
  {
    id: 'enqueue/cold',
    title: 'batcher.release(), as the first work of a new process',
    handles: 20_000,
    quickHandles: 20_000,
    warmUp: 0,
    isCold: true,
    run: (_workshop, count) => enqueueCold(count),
  },
];

export function measurementOf(id: string): Measurement {
  const measurement = MEASUREMENTS.find((candidate) => candidate.id === id);
  if (measurement === undefined) throw new Error(`no measurement is called ${id}`);
  return measurement;
}
