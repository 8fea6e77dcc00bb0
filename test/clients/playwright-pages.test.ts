/** A page of Playwright's, held to what every client is held to, by the session that its server half drives it by. */
import { attach } from '../../src/clients/playwright/index.ts';
import { launchByPlaywright, sessionBehind } from '../support/playwright.ts';
import { conform, type Minted, type Params, plainSession, type SessionUnderTest } from './conformance.ts';

const browser = await launchByPlaywright();

async function openPage(): Promise<SessionUnderTest> {
  const page = await (await browser.newContext()).newPage();
  const session = sessionBehind(page);
  const send = (method: string, params?: Params): Promise<unknown> => session.send(method, params);
  // What Playwright evaluates by itself it keeps, so that no scope ends it: the program's is what it calls a function for.
  const { result } = (await send('Runtime.evaluate', { expression: 'globalThis' })) as { result: Minted };
  const executionContextId = Number(result.objectId?.split('.')[1]);
  const callFunction = (functionDeclaration: string, params: Params): Promise<unknown> =>
    send('Runtime.callFunctionOn', { functionDeclaration, ...params });
  return {
    ...plainSession(send, {
      attach: (options) => attach(page, options),
      lose: () => page.close(),
      belongings: [page],
    }),
    dialect: {
      mint: async () => {
        const answer = await callFunction('function () { return { minted: [] } }', { executionContextId });
        return asProgramHolds((answer as { result: Minted }).result);
      },
      name: async (objectId) => {
        const answer = await callFunction('function () {}', { objectId, returnByValue: true });
        const { exceptionDetails } = answer as { exceptionDetails?: { readonly text: string } };
        if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text); // It has ended with its scope.
      },
    },
  };
}

/** The id that the server half is given is a String object, which holds what it names: here, what is given back does. */
function asProgramHolds({ type, objectId }: Minted): Minted {
  return {
    type,
    get objectId() {
      return String(objectId);
    },
  };
}

conform({ name: 'Playwright, a page each', open: async () => [await openPage(), await openPage()] });
