/**
 * What a browser holds for its debugging clients, by a heap snapshot. V8 labels each handle of the inspector "DevTools
 * console" under "(Global handles)": the handles behind clients' object ids, and those of the console's own message
 * storage, which no client can release.
 *
 * Handles are counted, not objects: an error that a client got under two ids is held twice.
 */
import type { HeapGraph, UnnamedHeapGraph } from './heap-snapshot.ts';

/** What one page, frame or worker holds for clients. */
export interface HeldByClients {
  /** Handles on objects, those of the console included. Strings and numbers of console messages are not counted. */
  readonly held: number;
  /** The part of `held` that the console's message storage holds. */
  readonly heldByConsole: number;
  /** `held` by class, the largest first: constructor names, `<div>` for elements, `Function`, `Symbol`, `Proxy`. */
  readonly classes: Readonly<Record<string, number>>;
  /** Bytes that only these handles keep alive. */
  readonly retainedBytes: number;
  /** The part of `retainedBytes` that only the console's message storage keeps alive. */
  readonly retainedByConsoleBytes: number;
  /** Bytes of the whole heap, with the parts of the engine that V8 knows. */
  readonly heapBytes: number;
}

/** Facts about a target (a page, frame or worker) besides the snapshot, as ids of objects in the snapshot. */
export interface TargetMarks {
  /** An object of each of its execution contexts. */
  readonly contexts: readonly number[];
  /** The objects that its console's message storage holds, once for each message. */
  readonly logged: readonly number[];
}

const LABEL = '/ DevTools console';
const GLOBAL_HANDLES = '(Global handles)';
/** What console messages hold without an object id. */
const PRIMITIVES: ReadonlySet<string> = new Set([
  'string',
  'concatenated string',
  'sliced string',
  'number',
  'bigint',
]);

/** The strings of a snapshot that `heldByClients` reads. */
export function stringsToRead(graph: UnnamedHeapGraph): Set<number> {
  const wanted = new Set<number>();
  const internal = graph.edgeTypes.indexOf('internal');
  for (const root of syntheticNodes(graph)) {
    wanted.add(at(graph.nodeName, root));
    for (const edge of edgesOf(graph, root)) {
      const held = at(graph.edgeTo, edge);
      wanted.add(at(graph.nodeName, held));
      if (at(graph.edgeType, edge) === internal) wanted.add(at(graph.edgeName, edge));
      // One of these is "map", which leads to an object's context.
      for (const own of edgesOf(graph, held)) {
        if (at(graph.edgeType, own) === internal) wanted.add(at(graph.edgeName, own));
      }
    }
  }
  return wanted;
}

/**
 * What is held for clients, for each target that has this heap: usually one. Pages that open one another share a heap. Then
 * a handle belongs to the target in whose execution context its object was made, and to the first target where that cannot
 * be told.
 */
export function heldByClients(graph: HeapGraph, targets: readonly TargetMarks[]): HeldByClients[] {
  const handles = handlesOf(graph);
  const contexts = new Contexts(graph);
  const nodeOfId = nodesOf(graph, targets);
  const ownerOfContext = new Map<number, number>();
  for (const [owner, { contexts: ids }] of targets.entries()) {
    for (const id of ids) {
      const key = contexts.keyOf(nodeOfId.get(id));
      if (key !== undefined) ownerOfContext.set(key, owner);
    }
  }
  for (const handle of handles) {
    const key = contexts.keyOf(handle.node);
    handle.owner = (key === undefined ? undefined : ownerOfContext.get(key)) ?? 0;
  }
  markConsole(handles, targets, nodeOfId);
  return countedBy(targets.length, handles, graph);
}

interface Handle {
  readonly edge: number;
  readonly node: number;
  readonly className: string | undefined;
  owner: number;
  isConsole: boolean;
}

function handlesOf(graph: HeapGraph): Handle[] {
  const handles: Handle[] = [];
  for (const root of syntheticNodes(graph)) {
    if (graph.strings.get(at(graph.nodeName, root)) !== GLOBAL_HANDLES) continue;
    for (const edge of edgesOf(graph, root)) {
      if (graph.strings.get(at(graph.edgeName, edge))?.endsWith(LABEL) !== true) continue;
      const node = at(graph.edgeTo, edge);
      const className = classOf(graph, node);
      // Clients have no ids for primitives: these handles are the console's.
      handles.push({ edge, node, className, owner: 0, isConsole: className === undefined });
    }
  }
  return handles;
}

/** An argument of a message is one handle of the console's; further handles on the same object belong to clients. */
function markConsole(
  handles: readonly Handle[],
  targets: readonly TargetMarks[],
  nodeOfId: ReadonlyMap<number, number>,
): void {
  const byNode = new Map<number, Handle[]>();
  for (const handle of handles) {
    const others = byNode.get(handle.node);
    if (others === undefined) byNode.set(handle.node, [handle]);
    else others.push(handle);
  }
  for (const [owner, { logged }] of targets.entries()) {
    for (const id of logged) {
      const handle = byNode.get(nodeOfId.get(id) ?? -1)?.find(({ isConsole }) => !isConsole);
      if (handle === undefined) continue; // Logged since the snapshot was taken.
      handle.isConsole = true;
      handle.owner = owner;
    }
  }
}

function countedBy(targetCount: number, handles: readonly Handle[], graph: HeapGraph): HeldByClients[] {
  const reached = new Reached(graph, handles);
  const heapBytes = graph.selfSize.reduce((sum, size) => sum + size, 0);
  // An object that several hold is counted for the first, and for clients rather than for the console.
  const byClients = owners(targetCount, handles, false).map((own) => reached.add(own));
  const byConsole = owners(targetCount, handles, true).map((own) => reached.add(own));
  return Array.from({ length: targetCount }, (_, owner) => {
    const own = handles.filter((handle) => handle.owner === owner && handle.className !== undefined);
    const ofConsole = byConsole[owner] ?? 0;
    return {
      held: own.length,
      heldByConsole: own.filter(({ isConsole }) => isConsole).length,
      classes: tally(own),
      retainedBytes: (byClients[owner] ?? 0) + ofConsole,
      retainedByConsoleBytes: ofConsole,
      heapBytes,
    };
  });
}

function owners(count: number, handles: readonly Handle[], isConsole: boolean): Handle[][] {
  const ofKind = handles.filter((handle) => handle.isConsole === isConsole);
  return Array.from({ length: count }, (_, owner) => ofKind.filter((handle) => handle.owner === owner));
}

function tally(handles: readonly Handle[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { className } of handles) {
    if (className !== undefined) counts.set(className, (counts.get(className) ?? 0) + 1);
  }
  // Its own properties only, whatever names a page gives its classes.
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

/**
 * The part of the heap that was reached so far: at first from all roots but the handles. A handle adds what only handles
 * keep alive: the same that a dominator tree would give for all of them together.
 */
class Reached {
  readonly #graph: HeapGraph;
  readonly #isReached: Uint8Array;
  readonly #pending: Uint32Array;
  readonly #isHandle: ReadonlySet<number>;
  readonly #weak: number;

  constructor(graph: HeapGraph, handles: readonly Handle[]) {
    this.#graph = graph;
    this.#isReached = new Uint8Array(graph.nodeCount);
    this.#pending = new Uint32Array(graph.nodeCount);
    this.#isHandle = new Set(handles.map(({ edge }) => edge));
    this.#weak = graph.edgeTypes.indexOf('weak');
    if (graph.nodeCount > 0) this.#reach(0);
  }

  /** @returns the bytes that these handles reach, and nothing before them did. */
  add(handles: readonly Handle[]): number {
    return handles.reduce((sum, { node }) => sum + this.#reach(node), 0);
  }

  #reach(from: number): number {
    const { firstEdge, edgeTo, edgeType, selfSize } = this.#graph;
    if (this.#isReached[from] === 1) return 0;
    this.#isReached[from] = 1;
    this.#pending[0] = from;
    let bytes = 0;
    for (let count = 1; count > 0; ) {
      const node = at(this.#pending, --count);
      bytes += at(selfSize, node);
      const end = at(firstEdge, node + 1);
      for (let edge = at(firstEdge, node); edge < end; edge++) {
        const to = at(edgeTo, edge);
        if (this.#isReached[to] === 1 || edgeType[edge] === this.#weak || this.#isHandle.has(edge)) continue;
        this.#isReached[to] = 1;
        this.#pending[count++] = to;
      }
    }
    return bytes;
  }
}

/** Tells objects of one execution context from those of another: all maps of a context have the same map. */
class Contexts {
  readonly #graph: HeapGraph;
  readonly #internal: number;
  readonly #mapName: number;

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    this.#internal = graph.edgeTypes.indexOf('internal');
    this.#mapName = [...graph.strings].find(([, text]) => text === 'map')?.[0] ?? -1;
  }

  keyOf(node: number | undefined): number | undefined {
    return this.#mapOf(this.#mapOf(node));
  }

  #mapOf(node: number | undefined): number | undefined {
    if (node === undefined) return undefined;
    const { edgeType, edgeName, edgeTo } = this.#graph;
    for (const edge of edgesOf(this.#graph, node)) {
      if (edgeName[edge] === this.#mapName && edgeType[edge] === this.#internal) return at(edgeTo, edge);
    }
    return undefined;
  }
}

/** The nodes of marked objects. */
function nodesOf(graph: HeapGraph, targets: readonly TargetMarks[]): Map<number, number> {
  const ids = new Set(targets.flatMap(({ contexts, logged }) => [...contexts, ...logged]));
  const nodes = new Map<number, number>();
  if (ids.size === 0) return nodes;
  for (let node = 0; node < graph.nodeCount; node++) {
    const id = at(graph.nodeId, node);
    if (ids.has(id)) nodes.set(id, node);
  }
  return nodes;
}

/** `undefined` for a primitive. */
function classOf(graph: HeapGraph, node: number): string | undefined {
  const type = graph.nodeTypes[at(graph.nodeType, node)] ?? '';
  if (PRIMITIVES.has(type)) return undefined;
  const name = graph.strings.get(at(graph.nodeName, node)) ?? '';
  if (type === 'closure') return 'Function';
  if (type === 'regexp') return 'RegExp';
  if (type === 'symbol') return 'Symbol';
  // Elements are named with their attributes, windows with their address.
  const element = /^(?:Detached )?<([^\s>]+)/.exec(name)?.[1];
  if (element !== undefined) return `<${element}>`;
  return (
    name
      .replace(/^Detached /, '')
      .replace(/^system \/ JS(?=Proxy)/, '')
      .replace(/ \/ [^/]*:\/\/.*$/s, '') || `(${type})`
  );
}

/** The roots, and the groups in which V8 lists what they lead to. */
function* syntheticNodes(graph: UnnamedHeapGraph): Generator<number> {
  const synthetic = graph.nodeTypes.indexOf('synthetic');
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.nodeType[node] === synthetic) yield node;
  }
}

function* edgesOf(graph: UnnamedHeapGraph, node: number): Generator<number> {
  const end = at(graph.firstEdge, node + 1);
  for (let edge = at(graph.firstEdge, node); edge < end; edge++) yield edge;
}

/** An entry that exists: nodes and edges are only identified by their indices. */
function at(array: Uint8Array | Uint32Array | Float64Array, index: number): number {
  return array[index] ?? 0;
}
