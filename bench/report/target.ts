/** A row of the table: what is compared with what, and what came of it. */
import type { Sample } from '../sampling/sample.ts';
import type { Spread } from './statistics.ts';

export interface Target {
  readonly id: string;
  /** Told of the handles that it was in fact, where a quick run takes fewer. */
  readonly work: string | ((handles: string) => string);
  readonly against: string;
  /** `atLeast` and `atMost` compare the figure with `wanted`. */
  readonly comparison: 'atLeast' | 'atMost';
  readonly wanted: number;
  readonly unit: '×' | 'per handle' | 'MB' | 'ms' | 'ns';
  /** Measurements that it needs: the subject's first, then what it is compared with. */
  readonly measurements: readonly [subject: string, reference?: string];
  readonly figure: (subject: Sample, reference: Sample) => number;
  /** Whether a quick run has it. Default `true`. */
  readonly isQuick?: boolean;
  /** Handles that the reference is measured at in any run, where `against` says so. */
  readonly measuredAt?: number;
}

export interface TargetResult {
  readonly id: string;
  readonly work: string;
  readonly against: string;
  readonly comparison: Target['comparison'];
  readonly wanted: number;
  readonly unit: Target['unit'];
  readonly figure: Spread;
  readonly reached: boolean;
  /** Whether the census bore out every sample behind it. */
  readonly proven: boolean;
}
