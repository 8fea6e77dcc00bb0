/** The figures that the library has to reach, each a ratio within one run, and whether it does. */
import { formatCount } from '../../src/cli/format.ts';
import { PLAYWRIGHT_TARGETS } from '../playwright/measurements.ts';
import { commandsPerHandle, isProven, perHandleMs, type Sample } from '../sampling/sample.ts';
import { SCRIPT_TARGETS } from '../scripts/measurements.ts';
import { spreadOf } from './statistics.ts';
import type { Target, TargetResult } from './target.ts';

const timesFaster = (subject: Sample, reference: Sample): number =>
  perHandleMs(reference) / perHandleMs(subject);
const timeOf = (subject: Sample, reference: Sample): number => perHandleMs(subject) / perHandleMs(reference);
const cpuOf = (subject: Sample, reference: Sample): number =>
  subject.cpuMicroseconds / subject.handles / (reference.cpuMicroseconds / reference.handles);
const wholeTimeOf = (subject: Sample, reference: Sample): number =>
  wholePerHandle(subject) / wholePerHandle(reference);
const wholePerHandle = ({ elapsedMs, extra, handles }: Sample): number =>
  (elapsedMs + (extra?.mintingMs ?? 0)) / handles;

const faster = { comparison: 'atLeast', unit: '×', figure: timesFaster } as const;
const timed = { comparison: 'atMost', unit: '×', figure: timeOf } as const;
const commands = {
  against: 'one command each',
  comparison: 'atMost',
  unit: 'per handle',
  figure: commandsPerHandle,
} as const;

export const TARGETS: readonly Target[] = [
  {
    id: 'scope',
    work: (handles) => `${handles} dropped by the end of a scope`,
    against: 'Puppeteer Promise.all(dispose)',
    ...faster,
    wanted: 100,
    measurements: ['bulk/attached-scope', 'bulk/puppeteer-all'],
  },
  {
    id: 'scope-limit',
    work: (handles) => `${handles} dropped by the end of a scope`,
    against: 'one raw releaseObjectGroup, the limit',
    ...timed,
    wanted: 1.3,
    measurements: ['bulk/attached-scope', 'bulk/release-object-group'],
  },
  {
    id: 'collection',
    work: (handles) => `${handles} dropped by a collection`,
    against: 'Puppeteer Promise.all(dispose)',
    ...faster,
    wanted: 100,
    measurements: ['bulk/attached-collection', 'bulk/puppeteer-all'],
  },
  {
    id: 'all',
    work: (handles) => `${handles} Promise.all(dispose)`,
    against: 'plain Puppeteer',
    ...faster,
    wanted: 15,
    measurements: ['bulk/attached-all', 'bulk/puppeteer-all'],
  },
  {
    id: 'all-floor',
    work: (handles) => `${handles} Promise.all(dispose)`,
    against: 'a send that costs nothing',
    ...timed,
    wanted: 1.3,
    measurements: ['bulk/attached-all', 'bulk/floor-all'],
  },
  {
    id: 'serial',
    work: (handles) => `${handles} await dispose() in a row`,
    against: 'plain Puppeteer',
    ...faster,
    wanted: 250,
    measurements: ['bulk/attached-serial', 'bulk/puppeteer-serial'],
  },
  {
    id: 'serial-floor',
    work: (handles) => `${handles} await dispose() in a row`,
    against: 'a send that costs nothing',
    ...timed,
    wanted: 1.8,
    measurements: ['bulk/attached-serial', 'bulk/floor-serial'],
  },
  {
    id: 'commands-bulk',
    work: (handles) => `commands, ${handles} minted by one array`,
    ...commands,
    wanted: 1 / 10_000,
    measurements: ['bulk/attached-all'],
  },
  {
    id: 'commands-bulk-singly',
    work: (handles) => `commands, ${handles} minted one by one`,
    ...commands,
    wanted: 1 / 1_000,
    measurements: ['bulk/attached-all-singly'],
    isQuick: false,
  },
  {
    id: 'commands-query-dispose',
    work: 'commands, $$ loop, each disposed',
    ...commands,
    wanted: 1 / 500,
    measurements: ['query/attached-dispose'],
  },
  {
    id: 'commands-query-forget',
    work: 'commands, $$ loop, forgotten',
    ...commands,
    wanted: 1 / 500,
    measurements: ['query/attached-forget'],
  },
  {
    id: 'commands-forget',
    work: 'commands, forgetting loop',
    ...commands,
    wanted: 1 / 500,
    measurements: ['forget/attached'],
  },
  {
    id: 'commands-keep',
    work: 'commands, keeping 1 in 100',
    ...commands,
    wanted: 1 / 20,
    measurements: ['keep/attached'],
  },
  {
    id: 'per-id',
    work: 'groups: false, Promise.all(dispose)',
    against: 'bare WebSocket',
    ...faster,
    wanted: 0.75,
    measurements: ['bulk/attached-per-id', 'bulk/bare-websocket'],
  },
  {
    id: 'per-id-cpu',
    work: 'groups: false, client CPU per release',
    against: 'Puppeteer Promise.all(dispose)',
    comparison: 'atMost',
    unit: '×',
    figure: cpuOf,
    wanted: 0.75,
    measurements: ['bulk/attached-per-id', 'bulk/puppeteer-all'],
  },
  {
    id: 'forget',
    work: 'evaluateHandle loop that forgets',
    against: 'plain, which leaks',
    ...timed,
    wanted: 1.05,
    measurements: ['forget/attached', 'forget/puppeteer'],
  },
  {
    id: 'forget-dispose',
    work: 'evaluateHandle loop that forgets',
    against: 'plain that disposes each',
    ...timed,
    wanted: 0.55,
    measurements: ['forget/attached', 'forget/puppeteer-dispose'],
  },
  {
    id: 'large',
    work: '200 KB handles forgotten, page heap',
    against: 'plain, which crashes at 20,000',
    comparison: 'atMost',
    unit: 'MB',
    wanted: 300,
    measurements: ['large/attached', 'large/puppeteer'],
    figure: (subject) =>
      subject.leftAlive === null ? Number.POSITIVE_INFINITY : (subject.peakHeapBytes ?? Number.NaN) / 1e6,
  },
  ...[10_000, 100_000, 1_000_000].flatMap((count): Target[] => {
    const row = { against: 'per handle at 1,000', wanted: 1.3, measuredAt: 1_000 };
    const measurements = [`growth/${count}`, 'growth/1000'] as const;
    return [
      {
        id: `growth-${count}`,
        work: (handles) => `${handles} dropped by a scope`,
        ...row,
        ...timed,
        measurements,
      },
      {
        id: `growth-${count}-whole`,
        work: (handles) => `${handles} minted and dropped`,
        ...row,
        ...timed,
        figure: wholeTimeOf,
        measurements,
      },
    ];
  }),
  ...(['page', 'context', 'browser'] as const).map(
    (what): Target => ({
      id: `close-${what}`,
      work: (handles) => `${what}.close() with ${handles} live handles`,
      against: 'plain Puppeteer',
      ...timed,
      wanted: 1.5,
      measurements: [`closing/attached-${what}`, `closing/puppeteer-${what}`],
    }),
  ),
  {
    id: 'detach',
    work: (handles) => `detach() with ${handles} live handles`,
    against: 'plain page.close()',
    ...timed,
    wanted: 1.5,
    measurements: ['closing/attached-detach', 'closing/puppeteer-page'],
  },
  {
    id: 'throw',
    work: 'errors thrown in the page',
    against: 'plain Puppeteer, which leaks',
    ...faster,
    wanted: 0.97,
    measurements: ['throw/attached', 'throw/puppeteer'],
  },
  {
    id: 'many-pages',
    work: (handles) => `${handles} on 50 pages, one of them hung`,
    against: 'plain Puppeteer',
    ...faster,
    wanted: 5,
    measurements: ['pages/attached-all', 'pages/puppeteer-all'],
    isQuick: false,
  },
  {
    id: 'far-away',
    work: (handles) => `${handles} disposed of, 80 ms away each way`,
    against: 'plain Puppeteer',
    ...timed,
    wanted: 1,
    measurements: ['remote/attached-all-80', 'remote/puppeteer-all-80'],
    isQuick: false,
  },
  {
    id: 'many-sessions',
    work: (handles) => `${handles} over 5,000 sessions: the event loop held`,
    against: 'itself',
    comparison: 'atMost',
    unit: 'ms',
    figure: ({ eventLoopDelayMs }) => eventLoopDelayMs ?? 0,
    wanted: 10,
    measurements: ['farm/sessions'],
    isQuick: false,
  },
  {
    id: 'waiting-groups',
    work: (handles) => `${handles} waiting groups, event loop held`,
    against: 'over the same without an attachment',
    comparison: 'atMost',
    unit: 'ms',
    wanted: 10,
    measurements: ['waiting/attached', 'waiting/plain'],
    figure: (subject, reference) => (subject.eventLoopDelayMs ?? 0) - (reference.eventLoopDelayMs ?? 0),
  },
  {
    id: 'enqueue',
    work: 'one enqueue, warm',
    against: 'itself',
    comparison: 'atMost',
    unit: 'ns',
    wanted: 100,
    measurements: ['enqueue/release'],
    figure: (sample) => perHandleMs(sample) * 1e6,
  },
  {
    id: 'enqueue-cold',
    work: (handles) => `${handles} enqueued first thing in a process`,
    against: 'itself',
    comparison: 'atMost',
    unit: 'ms',
    wanted: 5,
    measurements: ['enqueue/cold'],
    figure: (sample) => sample.elapsedMs,
  },
  ...SCRIPT_TARGETS,
  ...PLAYWRIGHT_TARGETS,
];

function mostHandlesOf(samples: readonly (Sample | undefined)[]): number {
  return Math.max(...samples.map((sample) => sample?.handles ?? 0));
}

/** The measurements that rows need, each once, references before what is compared with them. */
export function measurementsOf(rows: readonly Target[]): string[] {
  return [
    ...new Set(rows.flatMap(({ measurements: [subject, reference = subject] }) => [reference, subject])),
  ];
}

/** Judges the rows that there are samples for: a ratio per round, of samples taken in the same round. */
export function judge(
  rows: readonly Target[],
  samples: ReadonlyMap<string, readonly (Sample | undefined)[]>,
): TargetResult[] {
  return rows.flatMap((row) => {
    const [subjectId, referenceId = subjectId] = row.measurements;
    const subjects = samples.get(subjectId) ?? [];
    const references = samples.get(referenceId) ?? [];
    const figures: number[] = [];
    let proven = true;
    for (const [round, subject] of subjects.entries()) {
      const reference = references[round];
      if (subject === undefined || reference === undefined) continue;
      figures.push(row.figure(subject, reference));
      proven &&= isProven(subject) && isProven(reference);
    }
    if (figures.length === 0) return [];
    const figure = spreadOf(figures);
    const isGood = row.comparison === 'atLeast' ? figure.median >= row.wanted : figure.median <= row.wanted;
    const { id, comparison, wanted, unit } = row;
    const [ofSubject, ofReference] = [mostHandlesOf(subjects), mostHandlesOf(references)];
    const work = typeof row.work === 'string' ? row.work : row.work(formatCount(ofSubject));
    // A quick run has a slow reference do less; per handle they compare all the same.
    const isQuick = typeof row.work !== 'string' && ofReference !== row.measuredAt && ofReference < ofSubject;
    const against = isQuick ? `${row.against}, ${formatCount(ofReference)} of them` : row.against;
    return [{ id, work, against, comparison, wanted, unit, figure, reached: isGood && proven, proven }];
  });
}
