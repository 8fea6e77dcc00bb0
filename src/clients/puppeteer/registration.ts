/**
 * How browsers that come by the module hooks are attached. The hooks have no options of their own: whoever
 * starts a script with them sets these before it.
 */
import type { AttachOptions } from '../../handles/attach-options.ts';
import { attach } from './attach.ts';
import type { PuppeteerAttachment } from './puppeteer-attachment.ts';
import type { BrowserLike } from './structure.ts';
import { delegateOf, type PuppeteerLike } from './with-releases.ts';

interface Registration {
  readonly options: AttachOptions;
  onAttached(attachment: PuppeteerAttachment, browser: BrowserLike): void;
}

let registration: Registration = { options: {}, onAttached: () => {} };

/** Has browsers that come from now on attached like this. */
export function register(how: Registration): void {
  registration = how;
}

/** What the hooks put in the place of a Puppeteer. */
export function registered<Puppeteer extends PuppeteerLike>(puppeteer: Puppeteer): Puppeteer {
  return delegateOf(puppeteer, (browser) => {
    registration.onAttached(attach(browser, registration.options), browser);
  });
}
