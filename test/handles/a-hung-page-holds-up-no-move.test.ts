// Groups of many pages may be moved at the same moment: one page that hangs must not hold up what the others have to release.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

test('what was disposed of beside a hung page is released, though the survivors of both are moved at once', async () => {
  await using world = new AttachedPeer();
  const sessions = [world.open(), world.open()] as const;
  const [hung, other] = sessions;
  for (const session of sessions) {
    await session.mint(1); // It lives on.
    const handles = await session.mint(70);
    await Promise.all(handles.map((handle) => session.release(handle)));
  }
  using moving = hung.holdAnswers('Runtime.callFunctionOn');
  const flush = world.attachment.flush();
  await turns();
  expect(moving.messages).toHaveLength(1);
  expect(other.alive()).toHaveLength(1);
  moving.letGo();
  expect(await flush).toMatchObject({ complete: true });
});
