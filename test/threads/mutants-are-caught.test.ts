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

const BUILT = new URL('../../dist/threads/', import.meta.url);
const PUBLISH = 'memory.compareExchange(sequenceWord(slot), ticket, ticket | PUBLISHED) === ticket';

interface Mutant {
  readonly name: string;
  readonly scenario: Partial<Scenario>;
  /** What is replaced, by what. Each stands in the text exactly once. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  readonly objection: RegExp;
}

const mutants: readonly Mutant[] = [
  {
    name: 'the sequence check is dropped',
    scenario: {},
    edits: [
      ['if (sequence === ticket) {\n                if (memory', 'if (true) {\n                if (memory'],
    ],
    objection: /for no reason|data race/,
  },
  {
    name: 'published before it is written',
    scenario: {},
    edits: [
      ['memory.writeSlot(slot);\n', ''],
      [`if (${PUBLISH}) {`, `if (${PUBLISH}) { memory.writeSlot(slot);`],
    ],
    objection: /for no reason|data race/,
  },
  {
    name: 'claimed before the ring is seen to be full',
    scenario: {},
    edits: [
      [
        'if (sequence === ticket) {\n                if (memory',
        'if (memory.compareExchange(TAIL, ticket, next(ticket)) === ticket) {\n                if (memory.load(sequenceWord(slot)) !== ticket) return "full"; if (memory',
      ],
      ['memory.compareExchange(TAIL, ticket, next(ticket)) !== ticket', 'false'],
    ],
    objection: /for no reason|lost wake-up/,
  },
  {
    name: 'the consumer is notified before the publishing',
    scenario: {},
    edits: [
      ['memory.writeSlot(slot);', 'memory.writeSlot(slot); this.wakeEarly();'],
      ['wakeSleeper() {', 'wakeSleeper() {} wakeEarly() {'],
    ],
    objection: /lost wake-up/,
  },
  {
    name: 'the consumer looks before it announces that it sleeps',
    scenario: {},
    edits: [
      [
        'memory.store(ASLEEP, 1);\n        if (!this.#hasSomething())',
        'const nothing = !this.#hasSomething(); memory.store(ASLEEP, 1);\n        if (nothing)',
      ],
    ],
    objection: /lost wake-up/,
  },
  {
    name: 'a slot is freed before it is read',
    scenario: {},
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
    name: 'the pop does not look whether the slot is published',
    scenario: {},
    edits: [
      [
        'if (sequence === (ticket | PUBLISHED)) {\n                const',
        'if (this.#isClaimed(ticket)) {\n                const',
      ],
    ],
    objection: /for no reason|data race/,
  },
  {
    name: 'a slot that was stepped over is free at once',
    scenario: { hastySteps: 1 },
    edits: [['ticket | ABANDONED) !== ticket', '(ticket + this.#lap) | 0) !== ticket']],
    objection: /for no reason|data race/,
  },
  {
    name: 'a producer publishes though it was stepped over',
    scenario: { hastySteps: 1 },
    edits: [[PUBLISH, '(memory.store(sequenceWord(slot), ticket | PUBLISHED), true)']],
    objection: /lost|for no reason/,
  },
  {
    name: 'a slot out of service is skipped without a second look',
    scenario: { hastySteps: 1, producers: 2, pushes: 2 },
    edits: [['if (isOutOfService(memory.load(sequenceWord(slot)))) {', 'if (true) {']],
    objection: /for no reason|lost wake-up/,
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
    scenario: { firstTicket: 2 ** 31 - 8 },
    edits: [['((sequence - ticket) | 0) < 0', 'sequence < ticket']],
    objection: /for no reason|endless/,
  },
];

describe('each mutant is caught', () => {
  test.each(mutants)('$name', async ({ edits, scenario, objection }) => {
    const mutant = await mutate(edits);
    const whole: Scenario = { producers: 2, pushes: 1, capacity: 2, firstTicket: 0, ...scenario };
    expect(() => explore(ring, { ...whole, pushes: 1 })).not.toThrow();
    const caught = [1, 2].flatMap((pushes) => violationOf(mutant, { ...whole, pushes }) ?? []);
    expect(caught[0]).toMatch(objection);
  });
});

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
