// One event a batch and one a sweep, and a page of documentation that says exactly what there is.
import { type Channel, channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BatchSettled, BatchTally } from '../../src/batcher/diagnostics.ts';
import type { SweepDone } from '../../src/handles/groups.ts';
import { ReleaseBatcher } from '../../src/index.ts';
import { attached } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';

const PAGE = readFileSync('docs/diagnostics.md', 'utf8');

/** The channels that the page has a section for, and the fields that it lists there. */
const documented = new Map(
  PAGE.split(/^## /m)
    .filter((section) => section.startsWith('`'))
    .map((section) => [
      /^`(.+)`/.exec(section)?.[1] ?? '',
      [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field ?? ''),
    ]),
);

function channelsInSource(): string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(`src/${file}`, 'utf8').matchAll(/\bdiagnosticsChannel\(\s*'([^']+)'/g),
    ])
    .map(([, name]) => name ?? '');
}

function messagesOf<Message>(name: string): Message[] {
  const messages: Message[] = [];
  const listener = (message: unknown): void => void messages.push(message as Message);
  subscribe(name, listener);
  onTestFinished(() => void unsubscribe(name, listener));
  return messages;
}

describe('the diagnostics channels', () => {
  it('are those of the page', () => {
    expect([...documented.keys()].sort()).toEqual(channelsInSource().sort());
  });

  it('tell of a real run what the page says, once a batch and a sweep', async () => {
    const batches = messagesOf<BatchSettled>('cdp-release-batcher:batch:settled');
    const sweeps = messagesOf<SweepDone>('cdp-release-batcher:sweep:done');
    const browser = await launchChromium();
    const page = await browser.newPage();
    const releases = attached(browser);
    const handles = await Promise.all(Array.from({ length: 200 }, () => page.evaluateHandle(() => ({}))));
    sweeps.length = 0;
    await Promise.all(handles.map((handle) => handle.dispose()));
    await releases.flush();
    const { released, commands } = releases.stats();
    expect(released).toBe(200);
    const sum = (field: 'handles' | 'released' | 'commands'): number =>
      batches.reduce((total, batch) => total + batch[field], 0);
    await expect.poll(() => sum('released')).toBe(200);
    expect(sum('handles')).toBe(200);
    expect(sum('commands')).toBe(commands);
    expect(sweeps.reduce((total, sweep) => total + sweep.released, 0)).toBeGreaterThan(0);
    expect(sweeps.length).toBeLessThan(50); // They were dropped in one turn: far fewer than one a handle.
    const [batch] = batches;
    const [sweep] = sweeps;
    expect(Object.keys(batch ?? {})).toEqual(documented.get('cdp-release-batcher:batch:settled'));
    expect(Object.keys(sweep ?? {})).toEqual(documented.get('cdp-release-batcher:sweep:done'));
    for (const { groups, released, waiting, resolved, kept } of sweeps) {
      expect(released + waiting + resolved + kept).toBe(groups);
    }
  });

  it('tell of refusals and of answers that do not come', async () => {
    const batches = messagesOf<BatchSettled>('cdp-release-batcher:batch:settled');
    const batcher = new ReleaseBatcher({ releaseTimeoutMs: 20 });
    const answers: Record<string, () => Promise<unknown>> = {
      gone: () => Promise.reject(new Error('Could not find object with given id')),
      failed: () => Promise.reject(new Error('no')),
      timedOut: () => new Promise(() => {}),
      released: () => Promise.resolve({}),
    };
    const session = {
      send: (_method: string, params: Record<string, unknown> = {}) =>
        answers[String(params.objectId)]?.() ?? Promise.resolve({}),
    };
    for (const objectId of Object.keys(answers)) batcher.release(session, objectId);
    await batcher.close();
    await expect
      .poll(() => batches)
      .toMatchObject([
        {
          session,
          commands: 4,
          groupCommands: 0,
          handles: 4,
          released: 1,
          gone: 1,
          failed: 1,
          timedOut: 1,
          dropped: 0,
        },
      ]);
  });

  it('compute nothing while nobody listens', async () => {
    const settled: Channel = channel('cdp-release-batcher:batch:settled');
    expect(settled.hasSubscribers).toBe(false);
    const { note } = BatchTally.prototype;
    let noted = 0;
    BatchTally.prototype.note = function (...args) {
      noted++;
      note.apply(this, args);
    };
    onTestFinished(() => {
      BatchTally.prototype.note = note;
    });
    const release = async (): Promise<void> => {
      const batcher = new ReleaseBatcher();
      batcher.release({ send: () => Promise.resolve({}) }, 'id');
      await batcher.close();
    };
    await release();
    expect(noted).toBe(0);
    messagesOf('cdp-release-batcher:batch:settled');
    await release();
    expect(noted).toBe(1);
  });
});
