/** Whole scripts, each plain and attached in turns: what an attachment costs a user's process from its first second on. */
import type { Target } from '../report/target.ts';
import type { Measurement } from '../sampling/measurement.ts';
import { runScript, VARIANTS } from './run-script.ts';
import { SCRIPTS } from './scripts.ts';

export const SCRIPT_MEASUREMENTS: readonly Measurement[] = SCRIPTS.flatMap((script) =>
  VARIANTS.map(
    (variant): Measurement => ({
      id: `scripts/${variant}-${script.name}`,
      title: (count) => `${variant === 'puppeteer' ? 'Puppeteer' : 'attached'}, ${script.title(count)}`,
      handles: script.count,
      quickHandles: script.quickCount,
      warmUp: 0,
      isCold: true,
      run: (workshop, count) => runScript(workshop, variant, script, count),
    }),
  ),
);

/** Two rows each: wall time, and CPU time of the client's process. */
export const SCRIPT_TARGETS: readonly Target[] = SCRIPTS.flatMap(({ name, title, wanted }): Target[] => {
  const row = {
    against: 'plain Puppeteer',
    comparison: 'atMost',
    unit: '×',
    isQuick: false,
    measurements: [`scripts/attached-${name}`, `scripts/puppeteer-${name}`],
  } as const;
  return [
    {
      ...row,
      id: `script-${name}-wall`,
      work: (count) => `${title(count)}: time`,
      wanted: wanted.wall,
      figure: (subject, reference) => subject.elapsedMs / reference.elapsedMs,
    },
    {
      ...row,
      id: `script-${name}-cpu`,
      work: (count) => `${title(count)}: client CPU`,
      wanted: wanted.cpu,
      figure: (subject, reference) => subject.cpuMicroseconds / reference.cpuMicroseconds,
    },
  ];
});
