/**
 * Runs a ring's threads through every interleaving of their steps. A world met before is not entered again,
 * so what is visited is the whole graph of reachable worlds, once. JavaScript's atomics are sequentially
 * consistent, and the slots' text turns out free of data races; so a real machine has nothing to add.
 */
import type { RingMemory } from '../../../src/threads/ring-memory.ts';
import type { SharedRingQueue } from '../../../src/threads/shared-ring-queue.ts';
import { type Answer, type Call, LinearizabilityMonitor } from './linearizability.ts';
import { CONSUMER, copyState, freshState, SteppedMemory, SUSPENDED, Violation } from './stepped-memory.ts';
import {
  Agent,
  type AgentCall,
  agentOf,
  firstWorld,
  historyOf,
  itemOf,
  keyOf,
  moved,
  type Scenario,
  type World,
} from './world.ts';

/** The module to explore: the ring's, or a mutant of it. */
export interface RingModule {
  readonly SharedRingQueue: new (memory: RingMemory) => Pick<SharedRingQueue, keyof SharedRingQueue>;
  readonly layTickets: (memory: RingMemory, first: number) => void;
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
}

/** @throws Violation at the first broken rule, with the steps that led there. */
export function explore(module: RingModule, scenario: Scenario): Exploration {
  return new Explorer(module, scenario).run();
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #memory: SteppedMemory;
  readonly #ring: InstanceType<RingModule['SharedRingQueue']>;
  readonly #monitor: LinearizabilityMonitor;
  readonly #met = new Set<string>();
  readonly #open: World[] = [];
  #steps = 0;

  constructor(module: RingModule, scenario: Scenario) {
    this.#scenario = scenario;
    this.#memory = new SteppedMemory(scenario.capacity);
    this.#ring = new module.SharedRingQueue(this.#memory);
    this.#monitor = new LinearizabilityMonitor(scenario.capacity, scenario.producers + 1);
    const shared = freshState(scenario.capacity);
    this.#memory.runThrough(shared, () => module.layTickets(this.#memory, scenario.firstTicket));
    this.#enter(firstWorld(shared, scenario.producers, this.#monitor.initial));
  }

  run(): Exploration {
    for (let world = this.#open.pop(); world !== undefined; world = this.#open.pop()) {
      try {
        this.#enterSuccessors(world);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        throw new Violation(`${error.message}, after\n${historyOf(world)}`);
      }
    }
    return { states: this.#met.size, steps: this.#steps };
  }

  #enter(world: World): void {
    const key = keyOf(world, this.#monitor);
    const before = this.#met.size;
    if (this.#met.add(key).size > before) this.#open.push(world);
  }

  #enterSuccessors(world: World): void {
    let isQuiet = true;
    for (const [index, agent] of world.agents.entries()) {
      if (agent.isGone || (index === CONSUMER && world.shared.isWaiting)) continue;
      isQuiet = false;
      this.#enter(this.#step(world, index));
      for (const choice of this.#choices(world, index)) this.#enter(choice);
    }
    if (isQuiet) this.#checkQuiet(world);
  }

  /** What an agent may do other than going on. */
  *#choices(world: World, index: number): Iterable<World> {
    const { deaths = 0, hastySteps = 0, closes = false } = this.#scenario;
    const agent = agentOf(world, index);
    if (index !== CONSUMER) {
      if (world.deaths < deaths) {
        yield moved(world, index, DEAD, { deaths: world.deaths + 1, outcome: 'dies' });
      }
      return;
    }
    if (agent.log.length > 0) return;
    if (agent.call === 'sleepAtGap' && world.stepsOver < hastySteps) {
      yield moved(world, index, new Agent('stepOver'), { outcome: 'decides to step over' });
    }
    if (closes && !world.isClosing) {
      yield moved(world, index, new Agent('close'), { isClosing: true, outcome: 'decides to close' });
    }
  }

  /** Nobody can move: the consumer has to have everything, or to get it by the watchdog where one died. */
  #checkQuiet(world: World): void {
    const { deaths = 0, hastySteps = 0, closes = false } = this.#scenario;
    const isDrained = this.#memory.runThrough(copyState(world.shared), () => this.#ring.pop() === 'empty');
    if (isDrained) {
      if (!this.#monitor.canBeEmpty(world.explanations)) throw new Violation('a release is lost');
      if (hastySteps === 0 && !closes && world.stepsOver > deaths) {
        throw new Violation(`${world.stepsOver} slots were stepped over for ${world.deaths} deaths`);
      }
    } else if (world.deaths === 0 || agentOf(world, CONSUMER).isGone) {
      throw new Violation('lost wake-up: the consumer rests, and a release is inside');
    } else {
      const shared = copyState(world.shared);
      this.#memory.runThrough(shared, () => this.#ring.wake());
      this.#enter(
        moved(world, CONSUMER, new Agent('pop'), {
          shared,
          isWatched: true,
          outcome: 'is woken by the watchdog',
        }),
      );
    }
  }

  /** Moves one agent on by one step. */
  #step(world: World, index: number): World {
    this.#steps++;
    const agent = agentOf(world, index);
    const shared = copyState(world.shared);
    const log = agent.log.slice();
    const call = callOf(index, agent);
    let { explanations } = world;
    if (log.length === 0 && call !== undefined) explanations = this.#monitor.call(explanations, index, call);
    this.#memory.resume(shared, index, log);
    let outcome: Answer;
    try {
      outcome = this.#run(index, agent);
    } catch (error) {
      if (error !== SUSPENDED) throw error;
      if (log.length > LONGEST_CALL)
        throw new Violation(`endless: ${agent.call} has taken ${log.length} steps`);
      return moved(world, index, new Agent(agent.call, agent.pushed, log), { shared, explanations });
    }
    if (call !== undefined) {
      const next = this.#monitor.answer(explanations, index, outcome);
      if (next === undefined)
        throw new Violation(`agent ${index} hears "${outcome}" from ${agent.call}, for no reason`);
      explanations = next;
    }
    const change = { shared, explanations, outcome };
    return index === CONSUMER
      ? this.#afterConsumer(world, agent, change)
      : this.#afterPush(world, index, change);
  }

  #run(index: number, agent: Agent): Answer {
    const ring = this.#ring;
    if (agent.call === 'push') return ring.push(itemOf(index, agent), '');
    if (agent.call === 'sleep' || agent.call === 'sleepAtGap')
      return ring.sleep() === undefined ? 'awake' : 'asleep';
    if (agent.call === 'stepOver') return String(ring.stepOver());
    if (agent.call === 'close') {
      ring.close();
      return 'done';
    }
    const taken = ring.pop();
    if (typeof taken === 'string') return taken;
    return taken.sessionKey;
  }

  #afterPush(world: World, index: number, change: Partial<World>): World {
    const pushed = agentOf(world, index).pushed + 1;
    return moved(world, index, new Agent(pushed === this.#scenario.pushes ? 'done' : 'push', pushed), change);
  }

  /** The loop that `ReleasePort` runs. */
  #afterConsumer(world: World, agent: Agent, change: Partial<World> & { readonly outcome: Answer }): World {
    const { outcome } = change;
    const isSteppedOver = agent.call === 'stepOver' && outcome === 'true';
    const givesUp = world.isClosing || world.isWatched;
    let call: AgentCall = 'pop';
    if (agent.call === 'pop' && outcome === 'gap') call = givesUp ? 'stepOver' : 'sleepAtGap';
    if (agent.call === 'pop' && outcome === 'empty') call = world.isClosing ? 'done' : 'sleep';
    const stepsOver = world.stepsOver + (isSteppedOver ? 1 : 0);
    return moved(world, CONSUMER, new Agent(call), { ...change, stepsOver });
  }
}

/** Steps. Others can make a call go round again, but they come to their own end. */
const LONGEST_CALL = 120;
const DEAD = new Agent('dead');

/** What the monitor is told of a call; nothing of one that only sleeps. */
function callOf(index: number, agent: Agent): Call | undefined {
  switch (agent.call) {
    case 'push':
      return { name: 'push', item: itemOf(index, agent) };
    case 'pop':
    case 'stepOver':
    case 'close':
      return { name: agent.call, item: 0 };
    default:
      return undefined;
  }
}
