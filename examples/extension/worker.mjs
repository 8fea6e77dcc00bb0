// The service worker of an extension. A click on its icon prints the links of the tab, by `chrome.debugger` alone. To build
// and to load it, see the README beside this folder.
import { attach } from 'cdp-release-batcher/session';

const sessions = new Map();
// One listener for all tabs. A tab that is detached from says so: `attach` lets go of its session then.
chrome.debugger.onEvent.addListener(({ tabId, sessionId }, method, params) => {
  if (sessionId === undefined) sessions.get(tabId)?.emit(method, params);
});
chrome.debugger.onDetach.addListener(({ tabId }) => {
  sessions.get(tabId)?.emit('Inspector.detached', {});
  sessions.delete(tabId);
});

/** A tab as a session: `send` and `on` are all that `attach` asks for. */
class TabSession {
  #tabId;
  #listeners = new Map();

  constructor(tabId) {
    this.#tabId = tabId;
    sessions.set(tabId, this);
  }

  send(method, params) {
    return chrome.debugger.sendCommand({ tabId: this.#tabId }, method, params);
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  emit(event, params) {
    for (const listener of this.#listeners.get(event) ?? []) listener(params);
  }
}

chrome.action.onClicked.addListener(async ({ id: tabId }) => {
  await chrome.debugger.attach({ tabId }, '1.3');
  const session = new TabSession(tabId);
  const releases = attach(session, { track: true, targetType: 'page' });

  // A browser has no AsyncLocalStorage: behind the first `await`, `scope.run` says what belongs to the scope.
  const links = await releases.scope(async (scope) => {
    const send = (method, params) => scope.run(() => session.send(method, params));
    const { result: list } = await send('Runtime.evaluate', {
      expression: '[...document.links]',
    });
    const { result: members } = await send('Runtime.getProperties', {
      objectId: list.objectId,
      ownProperties: true,
    });
    const nodes = members.filter(({ value }) => value?.subtype === 'node');
    const hrefs = nodes.map(({ value }) =>
      send('Runtime.callFunctionOn', {
        objectId: value.objectId,
        functionDeclaration: 'function () { return this.href; }',
      }),
    );
    return (await Promise.all(hrefs)).map(({ result }) => result.value);
  });
  console.log(links.join('\n'));

  await releases.flush();
  const { minted, released, live } = releases.stats();
  console.log(`${minted} remote objects, ${released} released, ${live} left`);
  await chrome.debugger.detach({ tabId });
});
