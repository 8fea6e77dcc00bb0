/**
 * Files that take long begin first, lest one of them, begun last, runs alone at the end. Vitest by itself begins with those
 * of the most bytes, which on a machine that has run no test yet is all that it knows; these are short, and take long.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONGEST: readonly string[] = [
  // Of the long tests.
  'test/long/torture/playwright.test.ts',
  'test/long/never-early.test.ts',
  'test/long/nothing-grows.test.ts',
  'test/long/doctor-random-programs.test.ts',
  'test/long/torture/torture.test.ts',
  'test/long/engines.test.ts',
  'test/long/soak/soak.test.ts',
  'test/long/leak-census.test.ts',
  // Of `npm test`.
  'test/puppeteer/never-early.test.ts',
  'test/bench/bench-command.test.ts',
  'test/versions/compatibility.test.ts',
  'test/examples/examples.test.ts',
  'test/cli/doctor.test.ts',
  'test/process/ends-as-without-us.test.ts',
  'test/cli/doctor-of-many.test.ts',
  'test/examples/engines.test.ts',
  'test/bench/measurements.test.ts',
  'test/puppeteer/leak-census.test.ts',
  'test/clients/playwright.test.ts',
  'test/playwright/never-early.test.ts',
  'test/cli/look.test.ts',
  'test/cli/demo.test.ts',
  'test/cli/report-files.test.ts',
  'test/threads/every-interleaving-of-two-producers.test.ts',
  'test/threads/mutants-are-caught.test.ts',
  'test/process/fake-timers.test.ts',
  'test/process/node-flags.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      // Those that share a process come last, one after another: between them the process would be ended.
      return found === -1 ? LONGEST.length + (project.config.isolate ? 0 : 1) : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
