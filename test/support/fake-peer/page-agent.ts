/** What Puppeteer asks of a page before it gives it to the user, answered as far as it needs an answer. */
import type { FakeTarget } from './fake-target.ts';
import type { Params } from './protocol.ts';

/** @returns the result, or `undefined` for a command that is not this agent's. */
export function executePageCommand(target: FakeTarget, method: string, params: Params): object | undefined {
  switch (method) {
    case 'Page.getFrameTree':
      return {
        frameTree: {
          frame: { id: target.id, loaderId: 'loader', url: 'about:blank', mimeType: 'text/html' },
        },
      };
    case 'Page.addScriptToEvaluateOnNewDocument':
      return { identifier: '1' };
    case 'Page.createIsolatedWorld':
      return { executionContextId: target.createContext(String(params.worldName ?? '')).id };
    default:
      return isSwitch(method) ? {} : undefined;
  }
}

/** Turns something on, off or over that this peer does not have. */
function isSwitch(method: string): boolean {
  return !method.startsWith('Runtime.') && /\.(enable|disable|set[A-Z]\w*)$/.test(method);
}
