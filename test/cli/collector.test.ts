// A collection asked for where Node was given no flag for that, as in a user's process; the script there sees nothing of it.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

it('collects, and leaves no gc behind, neither here nor in a context made later', async () => {
  const { stdout, stderr } = await runScript(`
    import { runInNewContext } from 'node:vm';
    import { collectAll } from './dist/cli/collector.js';
    const registry = new FinalizationRegistry(() => console.log('noticed'));
    registry.register({}, undefined);
    await collectAll();
    console.log(typeof gc, runInNewContext('typeof gc'));
  `);
  expect(stderr).toBe('');
  expect(stdout).toBe('noticed\nundefined undefined\n');
});
