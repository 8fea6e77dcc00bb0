import type { BenchReport } from '../../bench/report/report.ts';

export type Scheme = 'light' | 'dark';
export const SCHEMES: readonly Scheme[];
export function pageHeapPicture(report: BenchReport, scheme: Scheme): string;
