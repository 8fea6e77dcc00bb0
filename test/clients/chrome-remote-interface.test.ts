/** chrome-remote-interface, against Chromium and against `node --inspect`. */
import { launchChromium } from '../support/chromium.ts';
import { conform } from './conformance.ts';
import { connect, flatSession, openNode, openPage } from './remote-interface.ts';

const browser = await launchChromium();

conform({
  name: 'chrome-remote-interface, flat sessions of one client',
  async open() {
    const client = await connect(browser.wsEndpoint());
    return [await flatSession(client), await flatSession(client)];
  },
});
conform({
  name: 'chrome-remote-interface, a page each, by callbacks',
  open: async () => [await openPage(browser), await openPage(browser)],
});
conform({
  name: 'chrome-remote-interface, node --inspect',
  open: async () => [await openNode(), await openNode()],
});
