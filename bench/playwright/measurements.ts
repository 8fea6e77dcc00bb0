/** Playwright, plain and attached: what its handles cost, and what its loops do. */
import type { Target } from '../report/target.ts';
import type { Measurement } from '../sampling/measurement.ts';
import {
  byPlaywright,
  disposeSerially,
  LOOP_NAMES,
  type LoopName,
  loopOf,
  PLAYWRIGHT_VARIANTS,
  type PlaywrightVariant,
  runForLong,
} from './work.ts';

const SIZES: Readonly<Record<LoopName, Pick<Measurement, 'handles' | 'quickHandles' | 'warmUp'>>> = {
  evaluate: { handles: 2_000, quickHandles: 500, warmUp: 300 },
  textContent: { handles: 2_000, quickHandles: 500, warmUp: 300 },
  fill: { handles: 500, quickHandles: 100, warmUp: 50 },
  click: { handles: 200, quickHandles: 40, warmUp: 20 },
};

/** Most that a loop which leaks nothing may take, by plain Playwright's time. */
const MOST_CPU = 1.1;
const MOST_TIME = 1.05;

const NEEDS = { needs: ['playwright-core'] } as const;
const nameOf = (variant: PlaywrightVariant): string => (variant === 'playwright' ? 'Playwright' : 'attached');

export const PLAYWRIGHT_MEASUREMENTS: readonly Measurement[] = PLAYWRIGHT_VARIANTS.flatMap(
  (variant): Measurement[] => [
    {
      ...NEEDS,
      id: `playwright/${variant}-serial`,
      title: `${nameOf(variant)}, await dispose()`,
      handles: 5_000,
      quickHandles: 1_000,
      warmUp: 200,
      run: byPlaywright(variant, disposeSerially),
    },
    ...LOOP_NAMES.map(
      (name): Measurement => ({
        ...NEEDS,
        ...SIZES[name],
        id: `playwright/${variant}-${name}`,
        title: `${nameOf(variant)}, ${name} in a loop`,
        run: byPlaywright(variant, loopOf(name)),
      }),
    ),
    {
      ...NEEDS,
      id: `playwright/${variant}-long`,
      title: `${nameOf(variant)}, rounds of locator.evaluate, console.log and an error thrown`,
      handles: 1_000,
      quickHandles: 300,
      warmUp: 0,
      mostRounds: 1,
      run: byPlaywright(variant, runForLong, { consoleEntries: 'discard' }),
    },
  ],
);

function pair(work: string): Pick<Target, 'measurements' | 'against' | 'isQuick'> {
  return {
    isQuick: work === 'serial',
    against: 'plain Playwright',
    measurements: [`playwright/attached-${work}`, `playwright/playwright-${work}`],
  };
}
const heldBytesOf = ({ extra }: Parameters<Target['figure']>[0]): number => extra?.heldBytes ?? Number.NaN;

export const PLAYWRIGHT_TARGETS: readonly Target[] = [
  {
    ...pair('serial'),
    id: 'playwright-serial',
    work: (handles) => `Playwright: ${handles} await dispose() in a row`,
    comparison: 'atLeast',
    unit: '×',
    wanted: 5,
    figure: (subject, reference) =>
      reference.elapsedMs / reference.handles / (subject.elapsedMs / subject.handles),
  },
  ...LOOP_NAMES.flatMap((name): Target[] => [
    {
      ...pair(name),
      id: `playwright-${name}-wall`,
      work: `Playwright: ${name} in a loop: time`,
      comparison: 'atMost',
      unit: '×',
      wanted: MOST_TIME,
      figure: (subject, reference) => subject.elapsedMs / reference.elapsedMs,
    },
    {
      ...pair(name),
      id: `playwright-${name}-cpu`,
      work: `Playwright: ${name} in a loop: client CPU`,
      comparison: 'atMost',
      unit: '×',
      wanted: MOST_CPU,
      figure: (subject, reference) => subject.cpuMicroseconds / reference.cpuMicroseconds,
    },
  ]),
  {
    ...pair('long'),
    id: 'playwright-long-page',
    work: (rounds) => `Playwright: ${rounds} rounds of a long script: the page’s heap at its highest`,
    comparison: 'atMost',
    unit: '×',
    wanted: 0.5,
    figure: ({ peakHeapBytes = Number.NaN }, reference) =>
      peakHeapBytes / (reference.peakHeapBytes ?? Number.NaN),
  },
  {
    ...pair('long'),
    id: 'playwright-long-process',
    work: (rounds) => `Playwright: ${rounds} rounds of a long script: what this process’s heap has grown by`,
    comparison: 'atMost',
    unit: '×',
    wanted: 0.5,
    figure: (subject, reference) => heldBytesOf(subject) / heldBytesOf(reference),
  },
];
