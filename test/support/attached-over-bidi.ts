// Attaches over WebDriver BiDi for the length of one test, and holds the library to what it owes every test: the books
// balance, nothing is on its way any more, and `detach` leaves the connection as it was found.
import { expect, onTestFinished } from 'vitest';
import { bidiConnectionOf } from '../../src/clients/puppeteer/bidi/structure.ts';
import { type AttachOptions, attach, type PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import {
  type BrowserContextLike,
  type BrowserLike,
  isBrowser,
  type PageLike,
} from '../../src/clients/puppeteer/structure.ts';
import { expectAtRest, expectConserved } from './conservation.ts';

export function attachedOverBidi(
  subject: BrowserLike | BrowserContextLike | PageLike,
  options: AttachOptions = {},
): PuppeteerAttachment {
  const connection = bidiConnectionOf(isBrowser(subject) ? subject : subject.browser());
  if (connection === undefined) throw new Error('this is not driven over WebDriver BiDi');
  const releases = attach(subject, options);
  onTestFinished(async () => {
    expectConserved(releases.stats());
    await expect
      .poll(async () => {
        expect(await releases.flush()).toMatchObject({ complete: true });
        const { queued, inFlight } = releases.stats();
        return queued + inFlight; // A collection may come in between, and drop some more.
      })
      .toBe(0);
    expectAtRest(releases.stats());
    releases.detach();
    // Another attachment may have it still.
    if (!Object.hasOwn(connection, 'send')) expect(Object.hasOwn(connection, 'emit')).toBe(false);
  });
  return releases;
}
