/** An answer by callback is a promise in all but time. */
import { expect, it } from 'vitest';
import { CallbackAnswer, deliver } from '../../src/clients/callback-answer.ts';

it('runs reactions within the call that settles it, or that asks when it is settled', () => {
  const answer = new CallbackAnswer<number>();
  const heard: unknown[] = [];
  answer.then((result) => heard.push(result));
  expect(heard).toEqual([]);
  answer.resolve(1);
  expect(heard).toEqual([1]);
  answer.then((result) => heard.push(result + 1));
  expect(heard).toEqual([1, 2]);
});

it('passes results and reasons down a chain as a promise does', () => {
  const heard: unknown[] = [];
  const failed = new CallbackAnswer();
  failed.reject('refused');
  failed
    .then(() => 'not run')
    .then(undefined, (reason) => `mended ${reason}`)
    .then((result) => heard.push(result));
  expect(heard).toEqual(['mended refused']);

  const error = new Error('thrown by a reaction');
  const fine = new CallbackAnswer();
  fine.resolve(1);
  fine
    .then(() => {
      throw error;
    })
    .then(undefined, (reason) => heard.push(reason));
  expect(heard[1]).toBe(error);
});

it('is settled once', () => {
  const answer = new CallbackAnswer();
  const heard: unknown[] = [];
  answer.deliver(
    (result) => heard.push(result),
    (reason) => heard.push(reason),
  );
  answer.reject('first');
  answer.resolve('second');
  expect(heard).toEqual(['first']);
});

it('can be awaited', async () => {
  const answer = new CallbackAnswer<number>();
  setImmediate(() => answer.resolve(7));
  expect(await answer).toBe(7);
  const refused = new CallbackAnswer();
  refused.reject(new Error('refused'));
  await expect(refused).rejects.toThrow('refused');
});

it('lets what a callback throws go to whoever settles it', () => {
  const answer = new CallbackAnswer();
  deliver(
    answer,
    () => {
      throw new Error('from the callback');
    },
    () => {},
  );
  expect(() => answer.resolve(1)).toThrow('from the callback');
});

it('gives callbacks of promised answers a turn of their own', async () => {
  const heard: unknown[] = [];
  const hear = (value: unknown): void => void heard.push(value);
  deliver(Promise.resolve('result'), hear, hear);
  deliver(Promise.reject(new Error('refused')), hear, (reason) => hear((reason as Error).message));
  expect(heard).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(['result', 'refused']);
});
