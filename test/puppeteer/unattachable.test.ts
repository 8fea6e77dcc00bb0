// What looks like Puppeteer's, but lacks what an attachment stands on, is refused in words that help.
import { expect, test } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';

const nothing = (): undefined => undefined;
const browser = {
  browserContexts: nothing,
  targets: () => [],
  newPage: nothing,
  target: nothing,
  on: nothing,
  off: nothing,
};

test('a page without a session', () => {
  const context = { browser: () => browser, pages: nothing, newPage: nothing };
  const page = {
    frames: () => [],
    browser: () => browser,
    browserContext: () => context,
    createCDPSession: nothing,
    isClosed: () => false,
  };
  expect(() => attach(page as never)).toThrow(
    'attach: this Page has no session to be found; attach to its Browser instead.',
  );
});

test('a browser over BiDi without its connection', () => {
  expect(() => attach({ ...browser, protocol: 'webDriverBiDi' } as never)).toThrow(
    'attach: this browser is driven over WebDriver BiDi, by a connection that cannot be found.',
  );
});
