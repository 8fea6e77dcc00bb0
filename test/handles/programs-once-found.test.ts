// Programs that random ones were once shrunk to, each by what was wrong.
import { test } from 'vitest';
import { runProgram, type Step } from './random-program.ts';

const found: [wrong: string, steps: Step[]][] = [
  [
    'dead members that went one by one during a move kept the group from being released, with the ids of before the move',
    [
      { do: 'mint', session: 1, count: 40, group: 'none' },
      { do: 'elapse', ms: 60 },
      { do: 'answer', session: 1, count: 94 },
      { do: 'nameAndDrop', handle: 615, how: 'dispose' },
      { do: 'dispose', handle: 898, count: 27 },
      { do: 'dispose', handle: 762, count: 7 },
      { do: 'collect', handle: 253, count: 9 },
      { do: 'answer', session: 1, count: 80 },
      { do: 'mint', session: 1, count: 26, group: 'none' },
      { do: 'answer', session: 1, count: 97 },
      { do: 'nameAndDrop', handle: 205, how: 'collect' },
      { do: 'dispose', handle: 509, count: 24 },
    ],
  ],
];

test.each(found)('%s', (_, steps) => runProgram(steps));
