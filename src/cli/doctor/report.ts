/**
 * The doctor's findings, from the messages of the script's process: the form of the JSON, and the source of the other
 * forms.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OthersLook } from '../../clients/puppeteer/held-by-others.ts';
import type { AttachmentStats } from '../../handles/handle-table.ts';
import { type Leak, type TraceCost, undisposed } from '../../observe/leak-report.ts';
import type { Course, CoursePoint } from './course.ts';
import type { Others, Snapshot } from './messages.ts';

/** Bytes and milliseconds throughout; counts are handles. */
export interface DoctorReport {
  readonly kind: 'doctor';
  readonly schema: 1;
  readonly occasion: Snapshot['occasion'];
  readonly script: string;
  readonly scriptArguments: readonly string[];
  /** The exit code of the script's process; `undefined` while it runs. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly elapsedMs: number;
  readonly node: string;
  readonly browsers: number;
  /** Of these, browsers that the script attaches to itself, by `attach` or `register`. */
  readonly attached: number;
  /** Why there are none. Then the doctor exits with 2, if the script ended well. */
  readonly whyNothing: string | undefined;
  /** The library's own counts; none where there was no browser. */
  readonly stats: Partial<AttachmentStats>;
  /** How all traced handles ended, whoever minted them. */
  readonly totals: Pick<Leak, 'minted' | 'disposed' | 'collected' | 'elided' | 'live'>;
  /** Of those disposed of, the handles that the client made for itself and disposed of by itself. */
  readonly disposedByClient: number;
  /** Handles of the script's own that it never disposed of: what `--fail-over` looks at. */
  readonly leaked: number;
  readonly failOver: number | undefined;
  /** By line of the script, the worst first: dropped, or held to the end, without `dispose()`. */
  readonly leaks: readonly Leak[];
  /** The same handles, as far as they live still, the oldest first. */
  readonly alive: readonly Leak[];
  /** Errors that the script's evaluations threw in the page. */
  readonly thrown: readonly Leak[];
  /** Arguments of console messages, by the line that logged. */
  readonly console: readonly Leak[];
  /** Uncaught errors of the page's, by the line that threw. */
  readonly pageErrors: readonly Leak[];
  /** Handles that Puppeteer or Playwright left behind itself, or keeps, by the line that called it. */
  readonly client: readonly Leak[];
  /** What others hold in pages that were open when the script closed their browser. */
  readonly heldByOthers: HeldByOthersReport;
  readonly course: readonly CoursePoint[];
  readonly peak: { readonly live: number; readonly heapBytes: number };
  readonly cost: TraceCost;
}

export interface HeldByOthersReport extends OthersLook {
  /** Handles: those of all `targets`. */
  readonly held: number;
  /** Browsers that were looked into when they were closed. Others were not. */
  readonly browsers: number;
  /** Milliseconds by which their closing was delayed. */
  readonly elapsedMs: number;
}

export interface Patient {
  readonly script: string;
  readonly scriptArguments: readonly string[];
  readonly failOver: number | undefined;
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** How long the script ran, where that is known from outside. */
  readonly elapsedMs: number | undefined;
}

/** @param snapshot the last one; `undefined` where the script's process sent none. */
export function reportOf(
  patient: Patient,
  snapshot: Snapshot | undefined,
  course: Course,
  others: readonly Others[] = [],
): DoctorReport {
  const left = (snapshot?.leaks ?? []).filter((leak) => undisposed(leak) > 0);
  const of = (source: Leak['source']): Leak[] =>
    left.filter((leak) => leak.source === source).sort((a, b) => undisposed(b) - undisposed(a));
  const leaks = of('script');
  const totals = totalsOf(snapshot?.leaks ?? []);
  return {
    kind: 'doctor',
    schema: 1,
    occasion: snapshot?.occasion ?? 'end',
    ...patient,
    elapsedMs:
      (snapshot?.occasion === 'checkpoint' ? undefined : snapshot?.elapsedMs) ?? patient.elapsedMs ?? 0,
    node: snapshot?.node ?? process.version,
    browsers: snapshot?.browsers ?? 0,
    attached: snapshot?.attached ?? 0,
    whyNothing: (snapshot?.browsers ?? 0) === 0 ? (snapshot?.whyNothing ?? NOTHING_TOLD) : undefined,
    stats: snapshot?.stats ?? {},
    totals,
    disposedByClient: totalsOf((snapshot?.leaks ?? []).filter(({ source }) => source === 'client')).disposed,
    leaked: leaks.reduce((sum, leak) => sum + undisposed(leak), 0),
    leaks,
    alive: leaks.filter(({ live }) => live > 0).sort((a, b) => (b.oldestMs ?? 0) - (a.oldestMs ?? 0)),
    thrown: of('thrown'),
    console: of('console'),
    pageErrors: of('pageerror'),
    client: of('client'),
    heldByOthers: othersOf(others),
    course: course.points,
    peak: { ...course.peak, live: Math.max(course.peak.live, totals.live) },
    cost: snapshot?.cost ?? { stacks: 0, elapsedMs: 0 },
  };
}

function othersOf(others: readonly Others[]): HeldByOthersReport {
  const targets = others.flatMap(({ look }) => look.targets).sort((one, other) => other.held - one.held);
  return {
    held: targets.reduce((sum, { held }) => sum + held, 0),
    browsers: others.length,
    elapsedMs: others.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    targets,
    unseen: others.flatMap(({ look }) => look.unseen),
  };
}

const NOTHING_TOLD = "saw no Puppeteer: the script's process ended before it could tell of one.";

function totalsOf(leaks: readonly Leak[]): DoctorReport['totals'] {
  const totals = { minted: 0, disposed: 0, collected: 0, elided: 0, live: 0 };
  for (const leak of leaks) {
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += leak[name];
  }
  return totals;
}

/** A line for people: its path is relative to this folder. */
export function shownLine(line: string): string {
  const [, file = line, place = ''] = /^(.*?)((?::\d+)*)$/s.exec(line) ?? [];
  try {
    const path = file.startsWith('file://') ? fileURLToPath(file) : file;
    if (!path.startsWith('/') && !/^[A-Za-z]:\\/.test(path)) return line;
    const fromHere = relative(process.cwd(), path);
    return (fromHere === '' || fromHere.startsWith('..') ? path : fromHere) + place;
  } catch {
    return line; // Not a path of this system.
  }
}
