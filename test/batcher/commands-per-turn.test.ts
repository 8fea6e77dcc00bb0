// Sessions that answer fast answer all that was sent in one turn in the next. So a turn has a number of commands as well as
// a time: the answers cannot be sliced.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { BATCH_SIZE, MOST_COMMANDS_PER_TURN } from '../../src/policy.ts';

test('so many commands are sent in one turn, over however many sessions', async () => {
  const perTurn: number[] = [];
  let sent = 0;
  const sessions = Array.from({ length: 300 }, () => ({
    send: () => {
      sent++;
      return turn({});
    },
  }));
  const batcher = new ReleaseBatcher();
  for (let id = 0; id < 20; id++) for (const session of sessions) batcher.release(session, `1.1.${id}`);
  let isOver = false;
  const flush = batcher.flush().then((report) => {
    isOver = true;
    return report;
  });
  while (!isOver) {
    const before = sent;
    await turn();
    perTurn.push(sent - before);
  }
  expect(await flush).toMatchObject({ complete: true });
  expect(sent).toBe(6_000);
  expect(Math.max(...perTurn)).toBeLessThan(MOST_COMMANDS_PER_TURN + BATCH_SIZE);
  await batcher.close();
});
