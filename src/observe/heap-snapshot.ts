/**
 * Reads V8's heap snapshot as it streams: numbers go into typed arrays, and only the strings that are asked for are kept.
 * The snapshot of a heap of some hundred megabytes is longer than the longest string that V8 allows, so the text is never
 * in one piece.
 *
 * Invariant: the edges of node `n` are those from `firstEdge[n]` up to, but without, `firstEdge[n + 1]`.
 *
 * The format is V8's own (`HeapSnapshotJSONSerializer`): sections in a fixed order, and a header that names the fields.
 */

/** The heap as a graph. A node is identified by its index among the nodes, an edge by its index among the edges. */
export interface HeapGraph {
  readonly nodeCount: number;
  readonly edgeCount: number;
  /** Of each node: the index of its type in `nodeTypes`. */
  readonly nodeType: Uint8Array;
  /** Of each node: the index of its name among the snapshot's strings. */
  readonly nodeName: Uint32Array;
  /** Of each node: the id by which `HeapProfiler.getHeapObjectId` names the same object. */
  readonly nodeId: Float64Array;
  /** Of each node: its own size in bytes. */
  readonly selfSize: Float64Array;
  /** One entry more than there are nodes. */
  readonly firstEdge: Uint32Array;
  readonly edgeType: Uint8Array;
  /** The index of the edge's name among the strings; for `element` and `hidden` edges a number instead. */
  readonly edgeName: Uint32Array;
  /** The node that the edge leads to. */
  readonly edgeTo: Uint32Array;
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
  /** The strings that were asked for, by their index. */
  readonly strings: ReadonlyMap<number, string>;
}

/** The graph before its strings are read. */
export type UnnamedHeapGraph = Omit<HeapGraph, 'strings'>;

/** The part of the text that a reader is in. */
type Section = 'header' | 'nodes' | 'before edges' | 'edges' | 'before strings' | 'strings' | 'end';

interface Header {
  readonly snapshot: {
    readonly node_count: number;
    readonly edge_count: number;
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly (string | readonly string[])[];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly (string | readonly string[])[];
    };
  };
}

/** Sections begin with these. The text between sections is not used. */
const NODES = '"nodes":[';
const EDGES = '"edges":[';
const STRINGS = '"strings":[';
/** A snapshot's header has some 2 KB. */
const LONGEST_HEADER = 1 << 20;

const [QUOTE, BACKSLASH, ZERO, NINE, COMMA, CLOSING_BRACKET] = [34, 92, 48, 57, 44, 93] as const;

export class HeapSnapshotReader {
  readonly #wanted: (graph: UnnamedHeapGraph) => Iterable<number>;
  #section: Section = 'header';
  /** Text that a later chunk completes: the header, or the beginning of a section's name. */
  #pending = '';
  #graph: UnnamedHeapGraph | undefined;
  #nodes: NodeSink | undefined;
  #edges: EdgeSink | undefined;
  #number = 0;
  #hasDigits = false;
  readonly #strings = new Map<number, string>();
  #isWanted: Uint8Array = new Uint8Array(0);
  #stringIndex = 0;
  /** The parts of a string that is longer than the chunk in which it began; `undefined` between strings. */
  #string: string[] | undefined;
  #isEscaped = false;

  /** @param wanted the indices of strings to keep; called once, when nodes and edges are read. */
  constructor(wanted: (graph: UnnamedHeapGraph) => Iterable<number>) {
    this.#wanted = wanted;
  }

  /**
   * The next piece of the snapshot's text, of any length.
   *
   * @throws Error where the text is no heap snapshot.
   */
  write(chunk: string): void {
    let at = 0;
    while (at < chunk.length) at = this.#read(chunk, at);
  }

  /**
   * The graph, when everything is read.
   *
   * @throws Error where the snapshot is cut off.
   */
  end(): HeapGraph {
    const graph = this.#graph;
    if (this.#section !== 'end' || graph === undefined) {
      throw new Error(`The heap snapshot is cut off: its text ended in the section "${this.#section}".`);
    }
    return { ...graph, strings: this.#strings };
  }

  /** Reads on from `at`. @returns where it stopped. */
  #read(chunk: string, at: number): number {
    switch (this.#section) {
      case 'header':
        return this.#seek(chunk, at, NODES, (header) => this.#begin(header));
      case 'nodes':
        return this.#readNumbers(chunk, at, this.#nodes, 'before edges');
      case 'before edges':
        return this.#seek(chunk, at, EDGES, () => this.#enter('edges'));
      case 'edges':
        return this.#readNumbers(chunk, at, this.#edges, 'before strings');
      case 'before strings':
        return this.#seek(chunk, at, STRINGS, () => this.#beginStrings());
      case 'strings':
        return this.#readStrings(chunk, at);
      case 'end':
        return chunk.length;
    }
  }

  #enter(section: Section): void {
    this.#section = section;
    this.#pending = '';
  }

  /** Looks for the beginning of a section. A header is kept until then; of other text the last few characters. */
  #seek(chunk: string, at: number, name: string, onFound: (before: string) => void): number {
    const text = this.#pending + chunk.slice(at);
    const found = text.indexOf(name);
    if (found < 0) {
      const isHeader = this.#section === 'header';
      if (isHeader && text.length > LONGEST_HEADER) throw new Error(noSnapshot(text));
      this.#pending = isHeader ? text : text.slice(-name.length);
      return chunk.length;
    }
    const readBefore = this.#pending.length;
    onFound(text.slice(0, found));
    return at + found + name.length - readBefore;
  }

  #begin(text: string): void {
    const { node_count, edge_count, meta } = headerOf(text);
    const nodeTypes = typesOf(meta.node_types);
    const edgeTypes = typesOf(meta.edge_types);
    const graph: UnnamedHeapGraph = {
      nodeCount: node_count,
      edgeCount: edge_count,
      nodeType: new Uint8Array(node_count),
      nodeName: new Uint32Array(node_count),
      nodeId: new Float64Array(node_count),
      selfSize: new Float64Array(node_count),
      firstEdge: new Uint32Array(node_count + 1),
      edgeType: new Uint8Array(edge_count),
      edgeName: new Uint32Array(edge_count),
      edgeTo: new Uint32Array(edge_count),
      nodeTypes,
      edgeTypes,
    };
    this.#graph = graph;
    this.#nodes = new NodeSink(graph, meta.node_fields);
    this.#edges = new EdgeSink(graph, meta.edge_fields, meta.node_fields.length);
    this.#enter('nodes');
  }

  #readNumbers(chunk: string, from: number, sink: NumberSink | undefined, next: Section): number {
    if (sink === undefined) throw new Error('The heap snapshot has no header.');
    let number = this.#number;
    let hasDigits = this.#hasDigits;
    for (let at = from; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (code >= ZERO && code <= NINE) {
        number = number * 10 + (code - ZERO);
        hasDigits = true;
        continue;
      }
      if ((code === COMMA || code === CLOSING_BRACKET) && hasDigits) {
        sink.add(number);
        number = 0;
        hasDigits = false;
      }
      if (code !== CLOSING_BRACKET) continue;
      this.#number = 0;
      this.#hasDigits = false;
      sink.end();
      this.#enter(next);
      return at + 1;
    }
    this.#number = number;
    this.#hasDigits = hasDigits;
    return chunk.length;
  }

  #beginStrings(): void {
    this.#enter('strings');
    const graph = this.#graph;
    if (graph === undefined) return;
    const wanted = [...this.#wanted(graph)];
    this.#isWanted = new Uint8Array(wanted.reduce((most, index) => Math.max(most, index + 1), 0));
    for (const index of wanted) this.#isWanted[index] = 1;
  }

  #readStrings(chunk: string, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#string === undefined) {
        const code = chunk.charCodeAt(at++);
        if (code === QUOTE) this.#string = [];
        else if (code === CLOSING_BRACKET) {
          this.#enter('end');
          return chunk.length;
        }
        continue;
      }
      const end = this.#endOfString(chunk, at);
      if (this.#isWanted[this.#stringIndex] === 1) this.#string.push(chunk.slice(at, end));
      if (end === chunk.length) return end;
      if (this.#isWanted[this.#stringIndex] === 1) {
        this.#strings.set(this.#stringIndex, JSON.parse(`"${this.#string.join('')}"`) as string);
      }
      this.#stringIndex++;
      this.#string = undefined;
      at = end + 1;
    }
    return at;
  }

  /** The index of the closing quote, or the chunk's length. */
  #endOfString(chunk: string, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        continue;
      }
      const code = chunk.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === BACKSLASH) this.#isEscaped = true;
    }
    return chunk.length;
  }
}

interface NumberSink {
  add(number: number): void;
  end(): void;
}

/** Takes the numbers of the section of nodes, field by field. */
class NodeSink implements NumberSink {
  readonly #graph: UnnamedHeapGraph;
  readonly #fieldCount: number;
  readonly #type: number;
  readonly #name: number;
  readonly #id: number;
  readonly #selfSize: number;
  readonly #edgeCount: number;
  #field = 0;
  #node = 0;
  #edge = 0;

  constructor(graph: UnnamedHeapGraph, fields: readonly string[]) {
    this.#graph = graph;
    this.#fieldCount = fields.length;
    this.#type = placeOf('type', fields);
    this.#name = placeOf('name', fields);
    this.#id = placeOf('id', fields);
    this.#selfSize = placeOf('self_size', fields);
    this.#edgeCount = placeOf('edge_count', fields);
  }

  add(number: number): void {
    const field = this.#field;
    const graph = this.#graph;
    if (field === this.#type) graph.nodeType[this.#node] = number;
    else if (field === this.#name) graph.nodeName[this.#node] = number;
    else if (field === this.#id) graph.nodeId[this.#node] = number;
    else if (field === this.#selfSize) graph.selfSize[this.#node] = number;
    else if (field === this.#edgeCount) this.#edge += number;
    if (++this.#field < this.#fieldCount) return;
    this.#field = 0;
    graph.firstEdge[++this.#node] = this.#edge;
  }

  end(): void {
    expectCount('nodes', this.#node, this.#graph.nodeCount);
    expectCount('edges of all nodes', this.#edge, this.#graph.edgeCount);
  }
}

/** Takes the numbers of the section of edges, which are in the order of the nodes that they start from. */
class EdgeSink implements NumberSink {
  readonly #graph: UnnamedHeapGraph;
  readonly #fieldCount: number;
  readonly #type: number;
  readonly #name: number;
  readonly #to: number;
  readonly #numbersPerNode: number;
  #field = 0;
  #edge = 0;

  constructor(graph: UnnamedHeapGraph, fields: readonly string[], numbersPerNode: number) {
    this.#graph = graph;
    this.#fieldCount = fields.length;
    this.#type = placeOf('type', fields);
    this.#name = placeOf('name_or_index', fields);
    this.#to = placeOf('to_node', fields);
    this.#numbersPerNode = numbersPerNode;
  }

  add(number: number): void {
    const field = this.#field;
    if (field === this.#type) this.#graph.edgeType[this.#edge] = number;
    else if (field === this.#name) this.#graph.edgeName[this.#edge] = number;
    else if (field === this.#to) this.#graph.edgeTo[this.#edge] = number / this.#numbersPerNode;
    if (++this.#field < this.#fieldCount) return;
    this.#field = 0;
    this.#edge++;
  }

  end(): void {
    expectCount('edges', this.#edge, this.#graph.edgeCount);
  }
}

function headerOf(text: string): Header['snapshot'] {
  try {
    const { snapshot } = JSON.parse(`${text.trim().replace(/,$/, '')}}`) as Header;
    if (Number.isSafeInteger(snapshot.node_count) && Number.isSafeInteger(snapshot.edge_count))
      return snapshot;
  } catch {
    // Reported below.
  }
  throw new Error(noSnapshot(text));
}

function noSnapshot(text: string): string {
  return `This is no heap snapshot of V8's: it begins with ${JSON.stringify(text.slice(0, 60))}.`;
}

function typesOf(types: readonly (string | readonly string[])[]): readonly string[] {
  const first = types[0];
  return typeof first === 'object' ? first : [];
}

function placeOf(field: string, fields: readonly string[]): number {
  const place = fields.indexOf(field);
  if (place < 0) throw new Error(`The heap snapshot has no field "${field}": it has ${fields.join(', ')}.`);
  return place;
}

function expectCount(what: string, count: number, expected: number): void {
  if (count !== expected)
    throw new Error(`The heap snapshot has ${count} ${what}; its header says ${expected}.`);
}
