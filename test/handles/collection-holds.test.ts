// While Puppeteer installs its utilities in a context it holds handles as bare ids: turned into arguments already,
// the command that carries them not sent yet. What is found collected meanwhile is not believed.
import { setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PuppeteerRules } from '../../src/clients/puppeteer/command-rules.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession } from './attached-peer.ts';

function openAsPuppeteer(world: AttachedPeer): AttachedSession {
  return world.open({ createRules: (hold) => new PuppeteerRules(hold) });
}

/** Puppeteer's installation, one command sent in reaction to the answer of the one before. */
async function install(session: AttachedSession): Promise<void> {
  await session.send('Runtime.addBinding', { name: '__ariaQuerySelector' }).catch(() => {});
  await session.evaluate('function __ariaQuerySelector() {}');
  await session.evaluate(`({ utilities: true }) //${'x'.repeat(3_000)}`);
}

test.each(['groups', 'no groups'])(
  'a handle whose id is on its way through an installation is not released (%s)',
  async (how) => {
    await using world = new AttachedPeer({ groups: how === 'groups' });
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate('({ answer: 42 })');
    const { objectId } = handle;
    const answers = session.holdAnswers('Runtime.addBinding');
    const call = install(session).then(() =>
      session.call({ objectId }, 'function() { return this.answer; }'),
    );
    await answers.reached(1);
    world.collector.collect(handle); // It is an id in Puppeteer's hands, and nothing else.
    await world.rest();
    expect(session.alive()).toEqual([objectId]);
    answers.letGo();
    expect(await call).toMatchObject({ value: 42 });
    await world.rest();
    expect(session.alive()).not.toContain(objectId);
  },
);

test.each([0, 1, 2])(
  'it is collected behind command %i of the installation: the call still finds it',
  async (link) => {
    await using world = new AttachedPeer();
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate('({ answer: 42 })');
    const { objectId } = handle;
    const call = install(session).then(() =>
      session.call({ objectId }, 'function() { return this.answer; }'),
    );
    const before = session.wire().length - 1;
    while (session.wire().length <= before + link) await macrotask();
    world.collector.collect(handle);
    expect(await call).toMatchObject({ value: 42 });
    await world.rest();
    expect(session.alive()).not.toContain(objectId);
  },
);

/** The utilities as `ScriptInjector` writes them, and as `ExecutionContext` sends them. */
const UTILITIES = `(() => {
      const module = { exports: { default: { utilities: true } } };
      //${'x'.repeat(3_000)}
      return module.exports.default;
    })()
//# sourceURL=pptr:internal
`;

test.each(['groups', 'no groups'])(
  'brought anew, as after registerCustomQueryHandler, the script is the whole installation (%s)',
  async (how) => {
    await using world = new AttachedPeer({ groups: how === 'groups' });
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate('({ answer: 42 })');
    const { objectId } = handle;
    const scripts = session.holdCommands('Runtime.evaluate');
    const call = session
      .evaluate(UTILITIES)
      .then(() => session.call({ objectId }, 'function() { return this.answer; }'));
    await scripts.reached(1);
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([objectId]);
    scripts.letGo();
    expect(await call).toMatchObject({ value: 42 });
    await world.rest();
    expect(session.alive()).not.toContain(objectId);
  },
);

test('a long expression of the script itself holds nothing, however long it takes', async () => {
  await using world = new AttachedPeer();
  const session = openAsPuppeteer(world);
  const handle = await session.evaluate();
  const commands = session.holdCommands('Runtime.evaluate');
  const running = session.evaluate(`({}) //${'x'.repeat(3_000)}\n//# sourceURL=pptr:internal\n`);
  await commands.reached(1);
  world.collector.collect(handle);
  await world.rest();
  expect(session.alive()).toEqual([]);
  commands.letGo();
  await running;
});

describe('the hold ends', () => {
  test('when the installation is over, and what was collected goes then', async () => {
    await using world = new AttachedPeer();
    const session = openAsPuppeteer(world);
    const handles = await session.mint(100);
    const installing = install(session);
    world.collector.collect(...handles);
    await installing;
    await world.rest();
    for (const handle of handles) expect(session.alive()).not.toContain(handle.objectId);
  });

  test('where a command of the installation is refused', async () => {
    await using world = new AttachedPeer();
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate();
    const answers = session.holdAnswers('Runtime.addBinding');
    const refused = session.send('Runtime.addBinding', {});
    await answers.reached(1);
    world.collector.collect(handle);
    answers.letGo();
    await expect(refused).rejects.toThrow();
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('where a command throws in the call', async () => {
    await using world = new AttachedPeer();
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate();
    expect(() => session.send('Runtime.addBinding', { big: 1n })).toThrow(TypeError);
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('with a session that ends meanwhile', async () => {
    await using world = new AttachedPeer();
    const session = openAsPuppeteer(world);
    const handle = await session.evaluate();
    using _ = world.peer.inbound.drop();
    const lost = session.send('Runtime.addBinding', { name: 'x' });
    world.collector.collect(handle);
    await session.session.detach();
    await expect(lost).rejects.toThrow('Target closed');
    await world.rest();
    expect(world.stats).toMatchObject({ live: 0, elided: 1 });
  });
});

test('a disposal is no collection: it is not put off', async () => {
  await using world = new AttachedPeer();
  const session = openAsPuppeteer(world);
  const handle = await session.evaluate();
  const answers = session.holdAnswers('Runtime.addBinding');
  const installing = install(session);
  await answers.reached(1);
  await session.release(handle);
  await world.rest();
  expect(session.alive()).not.toContain(handle.objectId);
  answers.letGo();
  await installing;
  await turns();
});
