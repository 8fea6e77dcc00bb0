import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdTable } from '../../src/handles/handle-table.ts';
import type { Context, Handle } from '../../src/handles/session-ledger.ts';

const PREFIX = '-4711.3.';

/** A table looks at nothing but the id and its number. */
function recordOf(objectId: string): Handle {
  return { objectId, idNumber: -1, context: undefined as unknown as Context } as Handle;
}

/** Numbers that share pages, numbers far apart, the limits, and what only looks like a number. */
const ends = fc.oneof(
  fc.nat(200).map(String),
  fc.nat().map(String),
  fc.constantFrom(
    '0',
    '00',
    '01',
    '999999999',
    '1000000000',
    '2147483648',
    '4294967296',
    '1e3',
    '1.5',
    '',
    ' 1',
    '-1',
    '+1',
    '٣',
  ),
  fc.string(),
);

describe('the table of records', () => {
  test('holds what a map of strings would, whatever the ids look like', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'delete', 'get'), ends), { maxLength: 400 });
    fc.assert(
      fc.property(fc.constantFrom(PREFIX, ''), steps, (prefix, program) => {
        const table = new IdTable(prefix);
        const model = new Map<string, Handle>();
        for (const [step, end] of program) {
          const id = prefix + end;
          if (step === 'delete') {
            table.delete(model.get(id) ?? recordOf(id));
            model.delete(id);
          } else if (step === 'add' && !model.has(id)) {
            const record = recordOf(id);
            table.add(record);
            model.set(id, record);
          }
          expect(table.get(id)).toBe(model.get(id));
          expect(table.size).toBe(model.size);
        }
        expect(new Set(table.values())).toEqual(new Set(model.values()));
        for (const [id, record] of model) expect(table.get(id)).toBe(record);
      }),
      { numRuns: 500 },
    );
  });

  test('gives each record once while those given are struck out', () => {
    const table = new IdTable(PREFIX);
    const ids = ['x', ...Array.from({ length: 500 }, (_, number) => String(number * 7))].map(
      (end) => PREFIX + end,
    );
    for (const id of ids) table.add(recordOf(id));
    const given: string[] = [];
    for (const record of table.values()) {
      given.push(record.objectId);
      table.delete(record);
    }
    expect(given.sort()).toEqual(ids.sort());
    expect(table.size).toBe(0);
    expect([...table.values()]).toEqual([]);
  });
});
