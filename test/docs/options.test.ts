/** The documents' table of options has each option, with the default that it has. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { LEAST_BYTES_PER_HANDLE } from '../../src/policy.ts';
import { PACKAGE } from '../support/script.ts';

/** For tests. */
const INTERNAL = ['createRegistry', 'now'];

const readme = await readFile(join(PACKAGE, 'docs', 'options.md'), 'utf8');
const [, section = ''] = /^# Options\n([\s\S]*)/m.exec(readme) ?? [];
const rows = [...section.matchAll(/^\| `(\w+)` \| (.*?) \| .* \|$/gm)].map(([, name = '', shown = '']) => ({
  name,
  shown,
}));
const defaults = new Map<string, unknown>(Object.entries(resolveAttachOptions()));

it('names each option, and no other', () => {
  const names = [...defaults.keys()].filter((name) => !INTERNAL.includes(name));
  expect(rows.map(({ name }) => name).sort()).toEqual(names.sort());
});

it.each(rows)('the default of $name', ({ name, shown }) => {
  const value = defaults.get(name);
  if (name === 'pressure') {
    expect(value).toBe('follow');
    expect(shown).toContain(`from ${LEAST_BYTES_PER_HANDLE.toLocaleString('en')}`);
  } else if (value === undefined) {
    // It depends on the client, or there is none.
    expect(shown).toBe(name === 'track' ? '`true`; `false` for a session of your own' : 'none');
  } else if (typeof value === 'number') {
    expect(shown.split(';')[0]).toBe(value.toLocaleString('en'));
  } else {
    expect(shown).toBe(typeof value === 'string' ? `\`'${value}'\`` : `\`${value}\``);
  }
});
