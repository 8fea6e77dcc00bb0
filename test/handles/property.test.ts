// Never early, never lost, and the law of conservation, whatever a program does and in whatever order the browser
// answers it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Coverage, programs, runProgram } from './random-program.ts';

test.each([
  ['groups, survivors moved', {}],
  ['groups, survivors left where they are', { moveSurvivors: false }],
  ['no groups', { groups: false }],
])(
  '%s: nothing is released early, nothing is lost, and every handle is in the books once',
  async (_, options) => {
    const coverage: Coverage = { moved: 0, groupFreed: 0, elided: 0, released: 0 };
    await fc.assert(
      fc.asyncProperty(programs, (steps) => runProgram(steps, options, coverage)),
      { numRuns: 40 },
    );
    expect(coverage.released).toBeGreaterThan(1_000);
    expect(coverage.elided).toBeGreaterThan(100);
    if (!('groups' in options)) expect(coverage.groupFreed).toBeGreaterThan(300);
    if (!('groups' in options || 'moveSurvivors' in options)) expect(coverage.moved).toBeGreaterThan(50);
  },
);
