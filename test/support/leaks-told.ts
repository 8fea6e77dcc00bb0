/** What `expectNoLeaks` owes the pages of every client that it takes. */
import { expect } from 'vitest';
import { expectNoLeaks, LeakError } from '../../src/testing/index.ts';

type Subject = Parameters<typeof expectNoLeaks>[0];

/** A page of any client, with a list in it. */
interface ListPage {
  evaluateHandle(make: () => unknown): Promise<unknown>;
  $(selector: string): Promise<unknown>;
}

/** Three arrays are forgotten and an element is held: the error names the lines that asked for them. */
export async function expectForgottenAndHeldTold(page: Subject & ListPage): Promise<LeakError> {
  const held: unknown[] = [];
  const failed = expectNoLeaks(page, async () => {
    for (let count = 0; count < 3; count++) await page.evaluateHandle(() => []);
    globalThis.gc?.();
    held.push(await page.$('li'));
  });
  const error = (await failed.catch((error: unknown) => error)) as LeakError;
  expect(error).toBeInstanceOf(LeakError);
  expect(error).toMatchObject({
    actual: 4,
    message: expect.stringMatching(
      /^4 handles were not disposed of:\n {2}3 × array, asked for at .*leaks-told\.ts:\d+:\d+\n {2}1 × node, asked/,
    ),
  });
  expect(held).toHaveLength(1);
  return error;
}
