/**
 * The proof of the proof: each mutant is the ring that ships with one idea taken out of its text, and the
 * explorer has to object to it.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import * as ring from '../../src/threads/shared-ring-queue.ts';
import { explore, type RingModule } from './exploring/explorer.ts';
import { Violation } from './exploring/stepped-memory.ts';
import type { Scenario } from './exploring/world.ts';

const BUILT = new URL('../../build/threads/', import.meta.url);
const PUBLISH = 'this.#publish(sequenceWord(slot), ticket)';
const CLAIM = `if (memory.compareExchange(TAIL, ticket, next(ticket)) !== ticket)
                    continue;`;

interface Mutant {
  readonly name: string;
  readonly scenario?: Partial<Scenario>;
  /** What is replaced, by what. Each stands in the text exactly once. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  readonly objection: RegExp;
}

const mutants: readonly Mutant[] = [
  {
    name: 'the sequence check is dropped',
    edits: [['if ((sequence & ~AWAITED) === ticket) {', 'if (true) {']],
    objection: /for no reason|data race/,
  },
  {
    name: 'published before it is written',
    edits: [
      ['memory.writeSlot(slot);\n', ''],
      [`if (${PUBLISH})`, `if (${PUBLISH} && (memory.writeSlot(slot), true))`],
    ],
    objection: /for no reason|data race/,
  },
  {
    name: 'claimed before the ring is seen to be full',
    edits: [
      [CLAIM, ''],
      ['if ((sequence & ~AWAITED) === ticket) {', `${CLAIM} if ((sequence & ~AWAITED) === ticket) {`],
    ],
    objection: /for no reason|nobody/,
  },
  {
    name: 'the consumer is notified before the publishing',
    edits: [
      ['memory.notify(word);\n        return true;', 'return true;'],
      [
        'if (sequence !== (ticket | AWAITED))\n            return false;',
        'if (sequence !== (ticket | AWAITED)) return false; memory.notify(word);',
      ],
    ],
    objection: /lost wake-up/,
  },
  {
    name: 'the consumer is not notified',
    edits: [['memory.notify(word);\n        return true;', 'return true;']],
    objection: /lost wake-up/,
  },
  {
    name: 'the consumer looks, then says that it sleeps',
    edits: [
      [
        'const sequence = memory.compareExchange(word, ticket, ticket | AWAITED);',
        'const sequence = memory.load(word); if (sequence === ticket) memory.store(word, ticket | AWAITED);',
      ],
    ],
    objection: /lost wake-up|for no reason/,
  },
  {
    name: 'the consumer sleeps without saying so',
    edits: [
      ['memory.compareExchange(word, ticket, ticket | AWAITED)', 'memory.load(word)'],
      ['memory.waitAsync(word, ticket | AWAITED)', 'memory.waitAsync(word, ticket)'],
    ],
    objection: /lost wake-up/,
  },
  {
    name: 'a slot is freed before it is read',
    edits: [
      ['const release = memory.readSlot(slot);\n', ''],
      [
        'memory.store(HEAD, next(ticket));\n                return release',
        'memory.store(HEAD, next(ticket));\n                return memory.readSlot(slot)',
      ],
    ],
    objection: /for no reason|data race/,
  },
  {
    name: 'the consumer does not look whether the slot is published',
    edits: [['if (sequence === (ticket | PUBLISHED)) {', 'if (this.#isClaimed(ticket)) {']],
    objection: /for no reason|data race/,
  },
  {
    name: 'a slot that was stepped over is free at once',
    scenario: { hastySteps: 1 },
    edits: [['ticket | ABANDONED) !== sequence', '(ticket + this.#lap) | 0) !== sequence']],
    objection: /for no reason|data race|lost wake-up/,
  },
  {
    name: 'a producer publishes though it was stepped over',
    scenario: { hastySteps: 1 },
    edits: [[PUBLISH, '(memory.store(sequenceWord(slot), ticket | PUBLISHED), true)']],
    objection: /lost|for no reason/,
  },
  {
    name: 'a slot out of service is skipped without a second look',
    scenario: { hastySteps: 1 },
    edits: [['if (!isOutOfService(memory.load(sequenceWord(slot))))\n                    continue;', '']],
    objection: /for no reason|lost wake-up|nobody/,
  },
  {
    name: 'closed by a load and a store',
    scenario: { closes: true },
    edits: [
      ['this.#memory.setBits(TAIL, CLOSED)', 'this.#memory.store(TAIL, this.#memory.load(TAIL) | CLOSED)'],
    ],
    objection: /for no reason|lost|data race/,
  },
  {
    name: 'tickets are compared as if they never wrapped',
    scenario: { firstTicket: 2 ** 31 - 16 },
    edits: [['((sequence - ticket) | 0) < 0', 'sequence < ticket']],
    objection: /for no reason|endless/,
  },
];

describe('each mutant is caught', () => {
  test.each(mutants)('$name', async ({ edits, scenario = {}, objection }) => {
    const mutant = await mutate(edits);
    const whole: Scenario = { producers: 2, pushes: 1, capacity: 2, firstTicket: 0, ...scenario };
    expect(violationOfRing(whole)).toBeUndefined();
    const caught = violationOf(mutant, whole) ?? violationOf(mutant, { ...whole, pushes: 2 });
    expect(caught).toMatch(objection);
  });
});

/** The ring that ships has none, in whichever of these scenarios; several mutants share one. */
const ofRing = new Map<string, string | undefined>();
function violationOfRing(scenario: Scenario): string | undefined {
  const key = JSON.stringify(scenario);
  if (!ofRing.has(key)) ofRing.set(key, violationOf(ring, scenario));
  return ofRing.get(key);
}

function violationOf(module: RingModule, scenario: Scenario): string | undefined {
  try {
    explore(module, scenario);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}

async function mutate(edits: Mutant['edits']): Promise<RingModule> {
  let text = await readFile(new URL('shared-ring-queue.js', BUILT), 'utf8');
  for (const [from, to] of edits) {
    expect(text.split(from), `once in the text: ${from}`).toHaveLength(2);
    text = text.replace(from, () => to);
  }
  text = text.replaceAll("from './", `from '${BUILT}`);
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`);
}
