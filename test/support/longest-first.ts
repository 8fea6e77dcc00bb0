/**
 * Files that take long begin first, lest one of them, begun last, runs alone at the end. Vitest by itself begins with those
 * of the most bytes, which on a machine that has run no test yet is all that it knows; these are short, and take long.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONGEST: readonly string[] = [
  'test/examples/examples.test.ts',
  'test/examples/engines.test.ts',
  'test/versions/compatibility.test.ts',
  'test/threads/every-interleaving-of-two-producers.test.ts',
  'test/threads/mutants-are-caught.test.ts',
  'test/threads/soak.test.ts',
  'test/cli/doctor-of-many.test.ts',
  'test/cli/report-files.test.ts',
  'test/bench/measurements.test.ts',
  'test/puppeteer/heap.test.ts',
  'test/docs/readme-script.test.ts',
  'test/faults/hung-page.test.ts',
  'test/process/warns-of-nothing.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return found === -1 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
