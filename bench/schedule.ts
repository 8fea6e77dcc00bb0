/** Takes the samples: every round all measurements, in an order that alternates, one at a time. */
import type { Measurement } from './sampling/measurement.ts';
import type { Sample } from './sampling/sample.ts';
import { SubjectProcess } from './subject-process.ts';

export interface ScheduleOptions {
  readonly measurements: readonly Measurement[];
  readonly rounds: number;
  readonly handlesOf: (measurement: Measurement) => number;
  readonly browserWSEndpoint: string;
  /** The binary of the Node that runs the subjects. */
  readonly node: string;
  /** Ends the run; what was sampled so far stays. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ScheduleProgress) => void;
}

export interface ScheduleProgress {
  readonly round: number;
  readonly rounds: number;
  readonly done: number;
  readonly total: number;
  readonly measurement: Measurement;
}

/** Samples by measurement, and by round; `undefined` where a subject failed. */
export type Samples = Map<string, (Sample | undefined)[]>;

export interface Failure {
  readonly measurement: string;
  readonly round: number;
  readonly message: string;
}

export async function takeSamples(
  options: ScheduleOptions,
): Promise<{ readonly samples: Samples; readonly failures: readonly Failure[] }> {
  const { measurements, rounds, handlesOf, browserWSEndpoint, node, signal, onProgress } = options;
  const samples: Samples = new Map();
  const failures: Failure[] = [];
  const processes = new Map<Measurement, SubjectProcess>();
  const roundsOf = ({ mostRounds = rounds }: Measurement): number => Math.min(rounds, mostRounds);
  const total = measurements.reduce((sum, measurement) => sum + roundsOf(measurement), 0);
  let done = 0;
  try {
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const due = measurements.filter((measurement) => round < roundsOf(measurement));
      const order = round % 2 === 0 ? due : due.reverse();
      for (const measurement of order) {
        if (signal.aborted) break;
        onProgress({ round, rounds, done: done++, total, measurement });
        const subject = processes.get(measurement) ?? new SubjectProcess(measurement, node);
        processes.set(measurement, subject);
        const taken = samples.get(measurement.id) ?? [];
        samples.set(measurement.id, taken);
        try {
          taken[round] = await subject.sample({ handles: handlesOf(measurement), browserWSEndpoint }, signal);
        } catch (error) {
          if (signal.aborted) break;
          failures.push({ measurement: measurement.id, round, message: (error as Error).message });
          processes.delete(measurement);
          await subject.end();
        }
        // A process that nobody needs again should not take the others' memory.
        if (measurement.isCold) processes.delete(measurement);
        if (measurement.isCold || round === roundsOf(measurement) - 1) await subject.end();
      }
    }
  } finally {
    await Promise.all([...processes.values()].map((subject) => subject.end()));
  }
  return { samples, failures };
}
