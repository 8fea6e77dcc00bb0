// A heap snapshot is read as it streams: wherever the text is cut into chunks, the same graph comes out; what is no
// whole snapshot is refused.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type HeapGraph, HeapSnapshotReader } from '../../src/observe/heap-snapshot.ts';
import { runNode } from '../support/processes.ts';

const STRINGS = [
  '',
  '(Global handles)',
  'a "quoted" name',
  'back\\slash\\',
  'ü\u2028{"nodes":[',
  '1 / DevTools console',
];
const META = {
  node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'detachedness'],
  node_types: [['hidden', 'synthetic', 'object'], 'string', 'number', 'number', 'number', 'number'],
  edge_fields: ['type', 'name_or_index', 'to_node'],
  edge_types: [['element', 'internal'], 'string_or_number', 'node'],
};
const NODES = [1, 0, 1, 0, 1, 0, 1, 1, 3, 0, 2, 0, 2, 2, 4_000_000_019, 4_000_000_000, 0, 1];
const EDGES = [1, 1, 6, 1, 5, 12, 0, 77, 12];
const SNAPSHOT = snapshotOf({ nodes: NODES, edges: EDGES });

interface Sections {
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly nodeCount?: number;
}

function snapshotOf({ nodes, edges, nodeCount = nodes.length / 6 }: Sections): string {
  const snapshot = { meta: META, node_count: nodeCount, edge_count: edges.length / 3 };
  return (
    `{"snapshot":${JSON.stringify(snapshot)},\n"nodes":[${nodes.join('\n,')}],\n"edges":[${edges.join(',')}],\n` +
    `"trace_function_infos":[],\n"locations":[1,2,3],\n"strings":${JSON.stringify(STRINGS)}}`
  );
}

function read(chunks: Iterable<string>, wanted: readonly number[] = [...STRINGS.keys()]): HeapGraph {
  const reader = new HeapSnapshotReader(() => wanted);
  for (const chunk of chunks) reader.write(chunk);
  return reader.end();
}

it('reads nodes, edges and strings', () => {
  const graph = read([SNAPSHOT]);
  expect([...graph.nodeType]).toEqual([1, 1, 2]);
  expect([...graph.nodeId]).toEqual([1, 3, 4_000_000_019]);
  expect([...graph.selfSize]).toEqual([0, 0, 4_000_000_000]);
  expect([...graph.firstEdge]).toEqual([0, 1, 3, 3]);
  expect([...graph.edgeTo]).toEqual([1, 2, 2]);
  expect([...graph.edgeName]).toEqual([1, 5, 77]);
  expect([...graph.strings.values()]).toEqual(STRINGS);
});

it('reads the same wherever the text is cut', () => {
  const whole = read([SNAPSHOT]);
  for (let at = 0; at <= SNAPSHOT.length; at++)
    expect(read([SNAPSHOT.slice(0, at), SNAPSHOT.slice(at)])).toEqual(whole);
  expect(read(SNAPSHOT)).toEqual(whole); // Character by character.
});

it('keeps only the strings that are asked for', () => {
  expect([...read([SNAPSHOT], [2]).strings]).toEqual([[2, STRINGS[2]]]);
});

it.each([
  ['header', SNAPSHOT.indexOf('"nodes"')],
  ['nodes', SNAPSHOT.indexOf('"edges"') - 12],
  ['strings', SNAPSHOT.length - 4],
])('says where a snapshot was cut off: in its %s', (section, at) => {
  expect(() => read([SNAPSHOT.slice(0, at)])).toThrow(`its text ended in the section "${section}"`);
});

it('refuses what is no heap snapshot, and one whose counts do not fit', () => {
  expect(() => read(['{"not":"a snapshot","nodes":[]}'])).toThrow(
    "This is no heap snapshot of V8's: it begins with",
  );
  const tooFew = snapshotOf({ nodes: NODES, edges: EDGES, nodeCount: 4 });
  expect(() => read([tooFew])).toThrow('has 3 nodes; its header says 4');
});

it('reads of a real snapshot what JSON.parse reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heap-snapshot-'));
  try {
    const file = join(folder, 'node.heapsnapshot');
    await runNode(['-e', `require('node:v8').writeHeapSnapshot(${JSON.stringify(file)})`]);
    const text = readFileSync(file, 'utf8');
    const { nodes, edges, strings, snapshot } = JSON.parse(text) as {
      nodes: number[];
      edges: number[];
      strings: string[];
      snapshot: { meta: typeof META };
    };
    const field = (name: string): number => snapshot.meta.node_fields.indexOf(name);
    const width = snapshot.meta.node_fields.length;
    const graph = read(chunksOf(text, 10_007), [...strings.keys()]);
    const column = (name: string): number[] => nodes.filter((_, index) => index % width === field(name));
    expect([...graph.selfSize]).toEqual(column('self_size'));
    expect([...graph.nodeName]).toEqual(column('name'));
    expect([...graph.edgeTo]).toEqual(edges.filter((_, index) => index % 3 === 2).map((to) => to / width));
    expect([...graph.strings.values()]).toEqual(strings);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function* chunksOf(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}
