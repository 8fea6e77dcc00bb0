// What looks like Puppeteer's, but lacks what an attachment stands on, is refused in words that help.
import { expect, test } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { launchChromium } from '../support/chromium.ts';

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

test('a browser context over BiDi that does not tell its pages', () => {
  const connection = { send: nothing, emit: nothing };
  const overBidi = { ...browser, protocol: 'webDriverBiDi', connection };
  const context = { browser: () => overBidi, pages: nothing, newPage: nothing };
  expect(() => attach(context as never)).toThrow(
    'attach: this BrowserContext does not tell its pages; attach to its Browser instead.',
  );
});

test('a Proxy of a browser by which the browser cannot be reached, as Puppeteer refuses it', async () => {
  const real = await launchChromium();
  const unbound = new Proxy(real, {
    get: (target, name, receiver): unknown => Reflect.get(target, name, receiver),
  });
  const givesNothing = new Proxy(real, {
    get: (target, name, receiver): unknown =>
      name === 'on' ? () => undefined : Reflect.get(target, name, receiver),
  });
  for (const proxy of [unbound, givesNothing]) expect(() => attach(proxy)).toThrow('private member');
});

test('a browser of a Puppeteer before 16, whose targets do not give their sessions', () => {
  const old = { ...browser, targets: () => [{ type: () => 'page' }] };
  expect(() => attach(old as never)).toThrow(
    'attach: the browser of so old a Puppeteer cannot be attached to; from version 16 on it can.',
  );
});
