/** What tracking adds to one command: the same answer with the tap between client and session, and without. */
import { bench, describe } from 'vitest';
import { PageActions } from '../../src/handles/acknowledge.ts';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { Attachment } from '../../src/handles/attachment.ts';
import { plainRules } from '../../src/handles/command-rules.ts';
import type { SessionTap } from '../../src/handles/observe-session.ts';

const EVALUATE = 'Runtime.callFunctionOn';
const session = { send: () => Promise.resolve({}) };
let ids = 0;
const evaluate = (): Promise<unknown> =>
  Promise.resolve({ result: { type: 'object', objectId: `1.1.${++ids}` } });

function openTap(options: Parameters<typeof resolveAttachOptions>[0] = {}): SessionTap {
  return new Attachment(resolveAttachOptions(options)).open(session, {
    isOrdered: true,
    actions: new PageActions(),
    tracks: true,
    createRules: () => plainRules,
  });
}

const params = (): Record<string, unknown> => ({ functionDeclaration: '() => ({})', executionContextId: 1 });

describe('one evaluateHandle', () => {
  bench('the bare answer', async () => {
    await evaluate();
  });

  const tap = openTap();
  bench('tracked, forgotten', async () => {
    await tap.command(EVALUATE, params(), evaluate);
  });

  const light = openTap({ pressure: false });
  bench('tracked, forgotten, without weight', async () => {
    await light.command(EVALUATE, params(), evaluate);
  });

  const disposing = openTap();
  bench('tracked, disposed', async () => {
    const answer = (await disposing.command(EVALUATE, params(), evaluate)) as {
      result: { objectId: string };
    };
    await disposing.command('Runtime.releaseObject', { objectId: answer.result.objectId }, evaluate);
  });
});
