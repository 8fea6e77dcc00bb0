/**
 * How browsers that come by the module hooks are attached. The hooks have no options of their own: whoever
 * starts a script with them sets these before it.
 */
import type { AttachOptions } from '../../handles/attach-options.ts';
import type { Attachment } from '../../handles/attachment.ts';
import { attach } from './attach.ts';
import { delegateOf, type PuppeteerLike } from './with-releases.ts';

interface Registration {
  readonly options: AttachOptions;
  /** @param browser as its client has it, of whichever client it is. */
  onAttached(attachment: Attachment, browser: object): void;
}

let current: Registration = { options: {}, onAttached: () => {} };

/** Has browsers that come from now on attached like this. */
export function register(how: Registration): void {
  current = how;
}

/** How it is to be done now. */
export function registration(): Registration {
  return current;
}

/** What the hooks put in the place of a Puppeteer. */
export function registered<Puppeteer extends PuppeteerLike>(puppeteer: Puppeteer): Puppeteer {
  return delegateOf(puppeteer, (browser) => {
    current.onAttached(attach(browser, current.options), browser);
  });
}
