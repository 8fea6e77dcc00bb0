/** One moment of an exploration: the shared memory, and where each thread stands. Worlds never change. */
import type { Answer, Call, LinearizabilityMonitor } from './linearizability.ts';
import { CONSUMER, type SharedState } from './stepped-memory.ts';

export interface Scenario {
  readonly capacity: number;
  /** The ticket that the ring begins at. */
  readonly firstTicket: number;
  readonly producers: number;
  /** How many releases each of them pushes. */
  readonly pushes: number;
  /** Producers that die, each at any of its steps. Default 0. */
  readonly deaths?: number;
  /** Times that the consumer may step over a producer that lives, and is only slow. Default 0. */
  readonly hastySteps?: number;
  /** Whether the consumer closes the ring, between any two of its calls. Default false. */
  readonly closes?: boolean;
}

/** One thread. */
export class Agent {
  /** The call that it is in. */
  readonly call: AgentCall;
  /** Pushes that have returned. */
  readonly pushed: number;
  /** What the steps of the call have returned so far. */
  readonly log: readonly number[];
  #key: string | undefined;

  constructor(call: AgentCall, pushed = 0, log: readonly number[] = []) {
    this.call = call;
    this.pushed = pushed;
    this.log = log;
  }

  get isGone(): boolean {
    return this.call === 'done' || this.call === 'dead';
  }

  /** A producer's part of a world's key. It is kept, as most moves are another agent's. */
  get key(): string {
    this.#key ??= keyOfAgent(this, NO_RENAMING);
    return this.#key;
  }
}

export type AgentCall = Call['name'] | 'sleep' | 'sleepAtGap' | 'done' | 'dead';

export interface World {
  readonly shared: SharedState;
  /** The consumer, then the producers. */
  readonly agents: readonly Agent[];
  /** The monitor's number for what could explain all answers so far. */
  readonly explanations: number;
  readonly deaths: number;
  readonly stepsOver: number;
  readonly isClosing: boolean;
  /** Whether the watchdog had to wake the consumer. */
  readonly isWatched: boolean;
  readonly cameFrom: World | undefined;
  /** Who moved last, and what came of it. */
  readonly mover: number;
  readonly outcome: Answer;
}

export function firstWorld(shared: SharedState, producers: number, explanations: number): World {
  return {
    shared,
    agents: [new Agent('pop'), ...new Array<Agent>(producers).fill(new Agent('push'))],
    explanations,
    deaths: 0,
    stepsOver: 0,
    isClosing: false,
    isWatched: false,
    cameFrom: undefined,
    mover: CONSUMER,
    outcome: '',
  };
}

export function agentOf(world: World, index: number): Agent {
  const agent = world.agents[index];
  if (agent === undefined) throw new RangeError(`agent ${index} of ${world.agents.length}`);
  return agent;
}

/** A new world, in which one agent has moved. Written out, as a spread takes several times as long. */
export function moved(from: World, mover: number, agent: Agent, change: Partial<World> = {}): World {
  return {
    shared: change.shared ?? from.shared,
    agents: from.agents.with(mover, agent),
    explanations: change.explanations ?? from.explanations,
    deaths: change.deaths ?? from.deaths,
    stepsOver: change.stepsOver ?? from.stepsOver,
    isClosing: change.isClosing ?? from.isClosing,
    isWatched: change.isWatched ?? from.isWatched,
    cameFrom: from,
    mover,
    outcome: change.outcome ?? '',
  };
}

/** A number that tells every pushed release from every other; a fraction, so that no word equals it. */
export function itemOf(index: number, agent: Agent): number {
  return index + (agent.pushed + 1) / 16;
}

/**
 * Two worlds with one key have the same future, but for the producers' names: they all do the same, so the
 * key names them in an order that follows from where each stands. Numbers are cut to 16 bits, which tells
 * apart all that can stand at one place: what a number is follows from those before it, and tickets are few.
 */
export function keyOf(world: World, monitor: LinearizabilityMonitor): string {
  const { shared, agents } = world;
  const order = [CONSUMER];
  for (let index = CONSUMER + 1; index < agents.length; index++) {
    let place = order.length;
    while (place > 1 && agentOf(world, order[place - 1] ?? 0).key > agentOf(world, index).key) place--;
    order.splice(place, 0, index);
  }
  const renaming = order.map((_, index) => order.indexOf(index));
  const explanations = monitor.renamed(world.explanations, renaming);
  const flags = (shared.isWaiting ? 1 : 0) | (world.isClosing ? 2 : 0) | (world.isWatched ? 4 : 0);

  let length = 0;
  KEY[length++] = flags | (world.deaths << 4) | (world.stepsOver << 8);
  KEY[length++] = explanations & 0xffff;
  KEY[length++] = explanations >>> 16;
  for (const word of shared.words) KEY[length++] = word;
  for (const item of shared.items) KEY[length++] = nameOf(item, renaming);
  for (const visitor of shared.visitors) KEY[length++] = renaming[visitor] ?? NOT_AN_AGENT;
  let key = textOf(length) + keyOfAgent(agentOf(world, CONSUMER), renaming);
  for (let place = 1; place < order.length; place++) key += agentOf(world, order[place] ?? 0).key;
  return key;
}

function keyOfAgent({ call, pushed, log }: Agent, renaming: readonly number[]): string {
  let length = 0;
  KEY[length++] = CALLS.indexOf(call) | (pushed << 4) | (log.length << 8);
  for (const value of log) KEY[length++] = nameOf(value, renaming);
  return textOf(length);
}

/** A word as it is; an item by its producer's new name. */
function nameOf(value: number, renaming: readonly number[]): number {
  if (Number.isInteger(value)) return value;
  const producer = Math.trunc(value);
  return ((renaming[producer] ?? producer) + value - producer) * 16;
}

function textOf(length: number): string {
  return String.fromCharCode.apply(undefined, KEY.subarray(0, length) as unknown as number[]);
}

const KEY = new Uint16Array(1024);
const CALLS: readonly AgentCall[] = [
  'push',
  'pop',
  'sleep',
  'sleepAtGap',
  'stepOver',
  'close',
  'done',
  'dead',
];
const NO_RENAMING: readonly number[] = [];
const NOT_AN_AGENT = 0xffff;

/** The moves that led here, one a line. */
export function historyOf(world: World): string {
  const lines: string[] = [];
  for (let at: World | undefined = world; at?.cameFrom !== undefined; at = at.cameFrom) {
    const before = agentOf(at.cameFrom, at.mover);
    const after = agentOf(at, at.mover);
    const who = at.mover === CONSUMER ? 'consumer' : `producer ${at.mover}`;
    const step = at.outcome === '' ? `step ${after.log.length}: ${after.log.at(-1)}` : at.outcome;
    lines.push(`${who} ${before.call} ${step}   [${at.shared.words.join(' ')}]`);
  }
  return lines.reverse().join('\n');
}
