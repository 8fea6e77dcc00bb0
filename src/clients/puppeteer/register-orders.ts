/**
 * The variable `CDP_RELEASE_BATCHER` of `register`: `report`, for a few lines when the process ends, and options of
 * `attach` as `name=value`; several with commas between.
 *
 * Invariant: of a browser that has ended only the figures are kept.
 */
import { readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId } from 'node:worker_threads';
import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import type { Attachment } from '../../handles/attachment.ts';
import { LEAST_BYTES_PER_HANDLE, LEAST_SUSPECTED } from '../../policy.ts';
import { show } from '../../runtime/option-checks.ts';
import { clientsSeen, type SeenClient } from './registration.ts';

const VARIABLE = 'CDP_RELEASE_BATCHER';

export interface RegisterOrders {
  readonly reports: boolean;
  readonly options: AttachOptions;
}

/** @throws TypeError or RangeError that names the variable, and the word that is not understood. */
export function parseOrders(text: string | undefined): RegisterOrders {
  const options: Record<string, unknown> = {};
  let reports = false;
  for (const word of (text ?? '').split(',').map((part) => part.trim())) {
    const [name = '', value] = word.split('=', 2);
    if (word === '') continue;
    if (word === 'report') reports = true;
    else if (value === undefined) {
      throw new TypeError(
        `${VARIABLE}: expected report, or an option as consoleEntries=discard, got ${show(word)}`,
      );
    } else options[name] = parseValue(value);
  }
  try {
    resolveAttachOptions(options);
  } catch (error) {
    if (error instanceof Error) error.message = `${VARIABLE}: ${error.message}`;
    throw error;
  }
  return { reports, options };
}

export function ordersOfEnvironment(): RegisterOrders {
  return parseOrders(process.env[VARIABLE]);
}

function parseValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The figures of the report: handles, but for `commands`. */
const FIGURES = ['minted', 'live', 'released', 'gone', 'elided', 'failed', 'timedOut', 'dropped'] as const;
type Figures = Record<(typeof FIGURES)[number] | 'commands' | 'waiting', number>;

/** The figures of all browsers together, including those that have ended. */
export class RegisterReport {
  readonly #attachments = new Set<Attachment>();
  readonly #ended: Figures = emptyFigures();

  readonly onAttached = (attachment: Attachment): void => {
    if (attachment.detached || this.#attachments.has(attachment)) return;
    this.#attachments.add(attachment);
    attachment.onDetach(() => {
      // Releases dropped last are still on their way.
      void attachment.flush().then(() => {
        if (this.#attachments.delete(attachment)) add(this.#ended, attachment);
      });
    });
  };

  /** Writes at once and to the end, since the process is exiting. */
  print(): void {
    const figures = { ...this.#ended };
    for (const attachment of this.#attachments) add(figures, attachment);
    const thread = isMainThread ? '' : ` (thread ${threadId})`;
    try {
      writeSync(2, `cdp-release-batcher${thread}: ${reportOf(clientsSeen(), figures)}\n`);
    } catch {
      // Nobody is there to read it.
    }
  }
}

function emptyFigures(): Figures {
  const zeros = [...FIGURES, 'commands', 'waiting'].map((name) => [name, 0]);
  return Object.fromEntries(zeros) as Figures;
}

function add(figures: Figures, attachment: Attachment): void {
  const stats = attachment.stats();
  for (const name of FIGURES) figures[name] += stats[name];
  figures.commands += stats.commands;
  figures.waiting += stats.queued + stats.inFlight;
}

/** The report, in one or two sentences. */
function reportOf(clients: readonly SeenClient[], figures: Figures): string {
  const attached = clients.filter((client) => client.attached > 0);
  if (attached.length === 0) return whyNothing(clients);
  const browsers = attached.reduce((sum, client) => sum + client.attached, 0);
  const names = [...new Set(attached.map(({ file }) => nameOf(file)))].join(', ');
  const count = (number: number, noun: string): string =>
    `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
  const ways: [number, string][] = [
    [figures.released, `released by ${count(figures.commands, 'command')}`],
    [figures.gone + figures.elided, `gone with their page${areTooFew(figures) ? TOO_FEW : ''}`],
    [figures.live, 'still in use'],
    [figures.waiting, 'not answered yet'],
    [figures.failed, 'failed'],
    [figures.timedOut, 'timed out'],
    [figures.dropped, 'dropped'],
  ];
  const told = ways
    .filter(([number]) => number > 0)
    .map(([number, way]) => `${number.toLocaleString('en')} ${way}`);
  const handles = count(figures.minted, 'handle');
  return `attached to ${count(browsers, 'browser')} of ${names}: ${[handles, ...told].join(', ')}.`;
}

const TOO_FEW = ' (too few for a collection; see docs/page-memory.md)';

/** Whether so few handles bring about a collection only where they are large. */
function areTooFew({ minted, released }: Figures): boolean {
  return released === 0 && minted * LEAST_BYTES_PER_HANDLE < LEAST_SUSPECTED;
}

/** Why nothing was attached. */
export function whyNothing(clients: readonly SeenClient[]): string {
  if (clients.length === 0) {
    return (
      'saw no Puppeteer: this process loaded neither Puppeteer nor Playwright in a way that can be seen. ' +
      'What can be done is told in docs/clients.md of this package, under "What register reaches".'
    );
  }
  const names = [...new Set(clients.map(({ file }) => nameOf(file)))].join(', ');
  const unattachable = clients.some((client) => client.unattachable > 0);
  return unattachable
    ? `saw ${names}, but its browsers cannot be attached to: Puppeteer 16 or later can, and Playwright's Chromium.`
    : `saw ${names}, but no browser that it launched or connected to.`;
}

/** Name and version of the package that a file belongs to, or the file. */
function nameOf(file: string): string {
  try {
    let folder = dirname(file.startsWith('file:') ? fileURLToPath(file) : file);
    for (let depth = 0; depth < 12; depth++, folder = dirname(folder)) {
      const manifest = manifestIn(folder);
      if (manifest?.version !== undefined) return `${manifest.name} ${manifest.version}`;
    }
  } catch {
    // Not a path of this system.
  }
  return file;
}

function manifestIn(folder: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: string;
      version?: string;
    };
  } catch {
    return undefined;
  }
}
