/** The functions that the built package gives to programs and that take something, as its type declarations have them. */
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

export interface PublicFunction {
  /** `attach`, or `ReleaseBatcher.guard`; a class by itself is its constructor. */
  readonly name: string;
  /** The last part of a method's name. */
  readonly method: string | undefined;
}

const PACKAGE = normalize(join(import.meta.dirname, '../..'));

export async function publicFunctions(): Promise<PublicFunction[]> {
  const manifest: { exports: Record<string, { import?: { types: string } }> } = JSON.parse(
    await readFile(join(PACKAGE, 'package.json'), 'utf8'),
  );
  const found = new Map<string, PublicFunction>();
  for (const { import: entry } of Object.values(manifest.exports)) {
    if (entry === undefined) continue;
    for (const given of await functionsOf(join(PACKAGE, entry.types))) found.set(given.name, given);
  }
  return [...found.values()];
}

/** @param names those that are handed on; all, where there are none. */
async function functionsOf(file: string, names?: ReadonlySet<string>): Promise<PublicFunction[]> {
  const source = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
  const found: PublicFunction[] = [];
  const isAsked = (name: string): boolean => names?.has(name) ?? true;
  for (const [, name = ''] of source.matchAll(/^export declare function (\w+)(?:<[^(]*>)?\((?!\))/gm)) {
    if (isAsked(name)) found.push({ name, method: undefined });
  }
  for (const [, name = '', body = ''] of source.matchAll(
    /^export declare class (\w+)[^{]*\{\n([\s\S]*?)^\}/gm,
  )) {
    if (!isAsked(name)) continue;
    for (const [, method = ''] of body.matchAll(/^ {4}(\w+)(?:<[^(]*>)?\((?!\))/gm)) {
      if (method === 'constructor') found.push({ name, method: undefined });
      else found.push({ name: `${name}.${method}`, method });
    }
  }
  for (const [, list = '', from = ''] of source.matchAll(
    /^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm,
  )) {
    const handedOn = new Set(list.split(',').map((item) => item.trim().replace(/^type /, '')));
    const next = join(dirname(file), from.replace(/\.ts$/, '.d.ts'));
    found.push(...(await functionsOf(next, new Set([...handedOn].filter(isAsked)))));
  }
  return found;
}
