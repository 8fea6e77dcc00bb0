// A scope around a whole crawl sees thousands of sessions. Of those that have ended it keeps a few, and nothing of the others.
import { expect, test } from 'vitest';
import { HandleScope } from '../../src/handles/scope.ts';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { OpenLedger } from './open-ledger.ts';

test('of forty sessions that came and went, the scope holds less than half', async () => {
  const scope = new HandleScope('scope()', () => {});
  let collected = 0;
  const registry = keptRegistry<undefined>(() => collected++);
  const visit = (): void => {
    const { ledger } = new OpenLedger(0);
    scope.groupFor(ledger);
    ledger.endSession();
    registry.register(ledger, undefined);
  };
  for (let page = 0; page < 40; page++) visit();
  await collectUntil(() => collected > 20);
  expect(scope.hasEnded).toBe(false);
  scope.end();
});
