// Writes src/handles/protocol.generated.ts: where remote objects sit in each command's result and each
// event, which parameters name one, and which commands take an object group; all of it derived from the
// protocol description that the devtools-protocol package carries.
//
//   node scripts/generate-protocol.mjs           writes the file
//   node scripts/generate-protocol.mjs --check   exits 1 where the file is not what would be written
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const target = new URL('../src/handles/protocol.generated.ts', import.meta.url);
const REMOTE_OBJECT = 'Runtime.RemoteObject';
const REMOTE_OBJECT_ID = 'Runtime.RemoteObjectId';

const { version } = require('devtools-protocol/package.json');
const domains = [
  ...require('devtools-protocol/json/browser_protocol.json').domains,
  ...require('devtools-protocol/json/js_protocol.json').domains,
];
const types = new Map();
for (const { domain, types: declared = [] } of domains) {
  for (const type of declared) types.set(`${domain}.${type.id}`, { ...type, domain });
}

/** Every path from `properties` to a value of type `wanted`: `['arguments[].objectId']`, say. */
function pathsTo(wanted, properties = [], domain, prefix = '', open = []) {
  return properties.flatMap((property) => {
    const path = prefix === '' ? property.name : `${prefix}.${property.name}`;
    return pathsInto(wanted, property, domain, path, open);
  });
}

function pathsInto(wanted, schema, domain, path, open) {
  if (schema.type === 'array') return pathsInto(wanted, schema.items, domain, `${path}[]`, open);
  if (schema.type === 'object') return pathsTo(wanted, schema.properties, domain, path, open);
  if (schema.$ref === undefined) return [];
  const name = schema.$ref.includes('.') ? schema.$ref : `${domain}.${schema.$ref}`;
  if (name === wanted) return [path];
  if (open.includes(name)) return []; // A recursive type: a stack trace's parent, say.
  const type = types.get(name);
  return pathsInto(wanted, type, type.domain, path, [...open, name]);
}

const commands = [];
const inputs = [];
const events = [];
for (const { domain, commands: declared = [], events: emitted = [] } of domains) {
  for (const { name, parameters = [], returns } of declared) {
    const mints = pathsTo(REMOTE_OBJECT, returns, domain);
    const names = pathsTo(REMOTE_OBJECT_ID, parameters, domain);
    const takesGroup = parameters.some((parameter) => parameter.name === 'objectGroup');
    if (domain === 'Input' && mints.length + names.length === 0) inputs.push(`Input.${name}`);
    if (mints.length + names.length > 0) commands.push([`${domain}.${name}`, { mints, names, takesGroup }]);
  }
  for (const { name, parameters } of emitted) {
    const mints = pathsTo(REMOTE_OBJECT, parameters, domain);
    if (mints.length > 0) events.push([`${domain}.${name}`, mints]);
  }
}

const list = (paths) => `[${paths.map((path) => `'${path}'`).join(', ')}]`;
const text = `// Written by scripts/generate-protocol.mjs from devtools-protocol ${version}. Do not edit: run \`npm run generate\`.

/** \`a[].b\` reads: in the array \`a\`, of each element, the member \`b\`. */
export interface CommandDescription {
  /** Where the result carries remote objects. */
  readonly mints: readonly string[];
  /** Where the parameters name one by its id. */
  readonly names: readonly string[];
  /** Whether the parameters may carry an \`objectGroup\`. */
  readonly takesGroup: boolean;
}

export const COMMANDS: Readonly<Record<string, CommandDescription>> = {
${commands
  .sort()
  .map(
    ([name, { mints, names, takesGroup }]) =>
      `  '${name}': { mints: ${list(mints)}, names: ${list(names)}, takesGroup: ${takesGroup} },`,
  )
  .join('\n')}
};

/** Commands that neither name remote objects nor bring some. Of all such commands only these: a script sends thousands of them. */
export const INPUTS: readonly string[] = [
${inputs
  .sort()
  .map((name) => `  '${name}',`)
  .join('\n')}
];

/** Where each event carries remote objects. */
export const EVENTS: Readonly<Record<string, readonly string[]>> = {
${events
  .sort()
  .map(([name, mints]) => `  '${name}': ${list(mints)},`)
  .join('\n')}
};
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(`${target.pathname} is stale: run \`npm run generate\`.`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
