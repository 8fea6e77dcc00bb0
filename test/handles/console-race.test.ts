// The group of console messages is emptied while the page logs. What came before the release is freed by it; what the page
// logs behind it lives, and is released in its turn, in whatever order the client hears of the two.
import { describe, expect, test } from 'vitest';
import { expectAtRest } from '../support/conservation.ts';
import { isReply } from '../support/fake-peer.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** How the group comes to be released; resolves once the command is on its way. */
const releases: Record<string, (world: AttachedPeer, session: AttachedSession) => Promise<unknown>> = {
  'Runtime.releaseObjectGroup': async (_, session) =>
    session.send('Runtime.releaseObjectGroup', { objectGroup: 'console' }).catch(() => {}),
  'Runtime.discardConsoleEntries': async (world) => world.elapse(100),
};

describe.each(Object.keys(releases))('with %s under way', (method) => {
  const options = method === 'Runtime.discardConsoleEntries' ? ({ consoleEntries: 'discard' } as const) : {};

  async function begin(
    world: AttachedPeer,
    isEmpty = false,
  ): Promise<{ session: AttachedSession; heard: Handle[] }> {
    const session = world.open();
    await session.send('Runtime.enable');
    const heard: Handle[] = [];
    session.session.on('Runtime.consoleAPICalled', ({ args }) => heard.push(...args));
    await session.evaluate('console.log({})');
    world.collector.collect(...heard.splice(0));
    if (isEmpty) await turns(); // It is released.
    return { session, heard };
  }

  test.each([
    ['holds something', false],
    ['is empty', true],
  ])(
    'where the group %s: what is logged before the answer is heard of is released once nobody holds it',
    async (_, isEmpty) => {
      await using world = new AttachedPeer(options);
      const { session, heard } = await begin(world, isEmpty);
      const answers = session.holdAnswers(method);
      void releases[method]?.(world, session);
      await answers.reached(1); // It is carried out, ...
      const events = world.peer.outbound.hold((message) => !isReply(message));
      await session.evaluate('for (let i = 0; i < 20; i++) console.log({})'); // ... the page logs, ...
      expect(session.alive('console')).toHaveLength(20);
      // ... and the client hears of both in one go, before anything that waits for the answer can run.
      answers.letGo();
      events[Symbol.dispose]();
      expect(heard).toHaveLength(20);
      await turns();
      expect(world.stats).toMatchObject({ live: 20 });
      answers[Symbol.dispose]();
      world.collector.collect(...heard);
      await world.rest();
      expect(session.alive('console')).toEqual([]);
      expectAtRest(world.stats);
      expect(world.stats).toMatchObject({ minted: world.stats.released + world.stats.gone });
    },
  );

  test('what is logged before it is carried out is in the books as alive until it is let go of', async () => {
    await using world = new AttachedPeer(options);
    const { session, heard } = await begin(world);
    const commands = session.holdCommands(method);
    void releases[method]?.(world, session);
    await commands.reached(1);
    await session.evaluate('console.log({})');
    commands[Symbol.dispose]();
    await turns();
    expect(session.alive('console')).toEqual([]);
    expect(world.stats).toMatchObject({ live: 1 });
    world.collector.collect(...heard);
    await world.rest();
    expectAtRest(world.stats);
    expect(world.stats).toMatchObject({ live: 0, failed: 0, timedOut: 0 });
  });

  test('where it is refused, all that the group held is released one by one', async () => {
    await using world = new AttachedPeer(options);
    const session = world.open();
    await session.send('Runtime.enable');
    const heard: Handle[] = [];
    session.session.on('Runtime.consoleAPICalled', ({ args }) => heard.push(...args));
    await session.evaluate('console.log({}, {}, {})');
    if (method === 'Runtime.discardConsoleEntries') world.collector.collect(...heard.splice(0));
    {
      using _ = world.peer.outbound.rewrite(
        (message) => isReply(message) && message.command.method === method,
        (message) => ({ ...message, result: undefined, error: { code: -32000, message: 'No' } }) as never,
      );
      await releases[method]?.(world, session);
      await turns();
    }
    world.collector.collect(...heard);
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 3, live: 0, failed: 0 });
    expectAtRest(world.stats);
  });
});
