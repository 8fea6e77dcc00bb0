/** The figures for monitoring systems, and their names: the same for all systems, in each one's spelling. */

/** Anything with `stats()`: an attachment, or a `ReleaseBatcher`. */
export interface MetricsSource {
  stats(): object;
}

export type StatName =
  | 'minted'
  | 'live'
  | 'disposed'
  | 'collected'
  | 'elided'
  | 'queued'
  | 'inFlight'
  | 'commands'
  | 'groupCommands'
  | 'released'
  | 'gone'
  | 'failed'
  | 'timedOut'
  | 'dropped'
  | 'chargedBytes'
  | 'pageBytes';

export interface Metric {
  /** In OpenTelemetry's spelling: dots between, without the unit. */
  readonly name: string;
  readonly help: string;
  /** In the notation of UCUM. */
  readonly unit: string;
  /** The counts that it consists of, each with the attributes that distinguish it. */
  readonly stats: readonly (readonly [stat: StatName, attributes: Record<string, string>])[];
}

/** Counters: they only grow. */
export const COUNTERS: readonly Metric[] = [
  {
    name: 'cdp.handles.minted',
    help: 'Remote objects that the browser has given out.',
    unit: '{handle}',
    stats: [['minted', {}]],
  },
  {
    name: 'cdp.handles.dropped',
    help: 'Handles that the program is done with, by how that came to be known.',
    unit: '{handle}',
    stats: [
      ['disposed', { cause: 'disposed' }],
      ['collected', { cause: 'collected' }],
    ],
  },
  {
    name: 'cdp.handles.ended',
    help: 'Handles at the end of their way, by which it was.',
    unit: '{handle}',
    stats: [
      ['released', { outcome: 'released' }],
      ['gone', { outcome: 'gone' }],
      ['elided', { outcome: 'elided' }],
      ['failed', { outcome: 'failed' }],
      ['timedOut', { outcome: 'timed_out' }],
      ['dropped', { outcome: 'dropped' }],
    ],
  },
  {
    name: 'cdp.release.commands',
    help: 'Commands that the library has sent.',
    unit: '{command}',
    stats: [['commands', {}]],
  },
  {
    name: 'cdp.release.group_commands',
    help: 'Of these, releases of whole object groups.',
    unit: '{command}',
    stats: [['groupCommands', {}]],
  },
];

/** Gauges. */
export const GAUGES: readonly Metric[] = [
  {
    name: 'cdp.handles.live',
    help: 'Handles that the program may still use.',
    unit: '{handle}',
    stats: [['live', {}]],
  },
  {
    name: 'cdp.handles.pending',
    help: 'Handles that are dropped and not released yet, by how far they are.',
    unit: '{handle}',
    stats: [
      ['queued', { state: 'queued' }],
      ['inFlight', { state: 'in_flight' }],
    ],
  },
  {
    name: 'cdp.handles.charged',
    help: 'Bytes of pages that may be garbage: what handles hold that were minted since the last collection in this process.',
    unit: 'By',
    stats: [['chargedBytes', {}]],
  },
  {
    name: 'cdp.page.heap',
    help: 'Heap of the page that was looked at last, its garbage included.',
    unit: 'By',
    stats: [['pageBytes', {}]],
  },
];

/** The source of the figures, or a function that gives the present one, where a browser is launched anew. */
export type GivenSource = MetricsSource | (() => MetricsSource | undefined);

type Figures = Partial<Record<StatName, number>>;

const COUNTED: readonly StatName[] = COUNTERS.flatMap(({ stats }) => stats.map(([stat]) => stat));

/**
 * The figures of one place where sources follow each other. Counters go on from where the last source ended; gauges are
 * those of the present source. A source that a function gave is not kept alive.
 */
export class SourceFigures {
  readonly #given: GivenSource;
  #source: WeakRef<MetricsSource> | undefined;
  /** Of the sources before this one. */
  #before: Figures = {};
  #last: Figures = {};

  /** @throws TypeError for anything but a source or a function that gives one. */
  constructor(caller: string, given: GivenSource) {
    if (typeof given !== 'function') requireSource(caller, given);
    this.#given = given;
  }

  /** Whole numbers. A batcher by itself has fewer counts than an attachment: the others are left out. */
  read(): Figures {
    const source = typeof this.#given === 'function' ? this.#given() : this.#given;
    if (source !== undefined && source !== this.#source?.deref()) {
      if (this.#source !== undefined) this.#before = this.#counted();
      this.#source = new WeakRef(source);
      this.#last = {};
    }
    if (source !== undefined) this.#last = wholeFigures(source.stats() as Figures);
    const hasEnded = source === undefined || (source as { detached?: unknown }).detached === true;
    return { ...(hasEnded ? {} : this.#last), ...this.#counted() };
  }

  #counted(): Figures {
    const counted: Figures = {};
    for (const stat of COUNTED) {
      const [before, last] = [this.#before[stat], this.#last[stat]];
      if (before !== undefined || last !== undefined) counted[stat] = (before ?? 0) + (last ?? 0);
    }
    return counted;
  }
}

/** Bytes are reckoned, and not counted. */
function wholeFigures({ chargedBytes, pageBytes, ...counts }: Figures): Figures {
  return {
    ...counts,
    ...(chargedBytes === undefined ? {} : { chargedBytes: Math.round(chargedBytes) }),
    ...(pageBytes === undefined ? {} : { pageBytes: Math.round(pageBytes) }),
  };
}

/** @throws TypeError for an object without figures. */
export function requireSource(caller: string, source: unknown): void {
  if (typeof (source as { stats?: unknown } | null | undefined)?.stats === 'function') return;
  throw new TypeError(
    `${caller}: expected an attachment or a ReleaseBatcher, which have stats(), or a function that gives one, got ${typeof source}`,
  );
}
