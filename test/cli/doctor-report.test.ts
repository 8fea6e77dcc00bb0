// What the doctor's report says of figures that are known: in which order, in which column, and where it folds.
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Course } from '../../src/cli/doctor/course.ts';
import { htmlOf } from '../../src/cli/doctor/html-report.ts';
import type { Snapshot } from '../../src/cli/doctor/messages.ts';
import { type DoctorReport, type Patient, reportOf, shownLine } from '../../src/cli/doctor/report.ts';
import { formatReport } from '../../src/cli/doctor/terminal.ts';
import type { Leak } from '../../src/observe/leak-report.ts';

const PATIENT: Patient = {
  script: 'scrape.mjs',
  scriptArguments: ['--fast', '<a>'],
  failOver: undefined,
  exitCode: 0,
  signal: undefined,
  elapsedMs: undefined,
};

function leakOf(line: string, figures: Partial<Leak>): Leak {
  const leak = { kind: 'object', source: 'script', disposed: 0, collected: 0, elided: 0, live: 0 } as const;
  const { disposed = 0, collected = 0, elided = 0, live = 0 } = figures;
  return { line, ...leak, minted: disposed + collected + elided + live, ...figures };
}

function reportWith(
  leaks: readonly Leak[],
  figures: Partial<Snapshot> = {},
  patient: Partial<Patient> = {},
  course: Course = new Course(),
): DoctorReport {
  const cost = { stacks: 1_200, elapsedMs: 25 };
  const stats = {} as Snapshot['stats'];
  const snapshot: Snapshot = {
    ...{ kind: 'snapshot', thread: 0, occasion: 'end', elapsedMs: 2_000, node: 'v20', browsers: 1 },
    ...{ attached: 0 },
    ...{ stats, leaks, cost },
    ...figures,
  };
  return reportOf({ ...PATIENT, ...patient }, snapshot, course);
}

const LEAKS: readonly Leak[] = [
  leakOf('young.mjs:1:1', { live: 2, oldestMs: 100 }),
  leakOf('clean.mjs:1:1', { disposed: 1_000 }),
  leakOf('worst.mjs:1:1', { disposed: 7, collected: 3_000, elided: 20, live: 1, oldestMs: 300 }),
  leakOf('mild.mjs:1:1', { collected: 1 }),
  leakOf('old.mjs:1:1', { live: 4, oldestMs: 1_500 }),
  leakOf('thrown.mjs:1:1', { source: 'thrown', collected: 5 }),
  leakOf('logged.mjs:1:1', { source: 'console', collected: 6 }),
  leakOf('uncaught.mjs:1:1', { source: 'pageerror', collected: 8 }),
  leakOf('client.mjs:1:1', { source: 'client', collected: 9, elided: 10, live: 1 }),
];

/** The cells of the row of the terminal's table that ends with the line. */
function rowsOf(text: string, line: string): string[][] {
  const rows = text.split('\n').filter((row) => row.endsWith(` ${line}`));
  return rows.map((row) => row.trim().split(/ {2,}/));
}

describe('the report', () => {
  const report = reportWith(LEAKS);

  it("counts the script's own handles that it never disposed of, the worst line first", () => {
    expect(report.leaked).toBe(3_028);
    const lines = report.leaks.map(({ line }) => line);
    expect(lines).toEqual(['worst.mjs:1:1', 'old.mjs:1:1', 'young.mjs:1:1', 'mild.mjs:1:1']);
  });

  it('has what lives still with the oldest first', () => {
    expect(report.alive.map(({ line }) => line)).toEqual(['old.mjs:1:1', 'worst.mjs:1:1', 'young.mjs:1:1']);
  });

  it('keeps apart what is no doing of the script', () => {
    for (const [leaks, line] of [
      [report.thrown, 'thrown.mjs:1:1'],
      [report.console, 'logged.mjs:1:1'],
      [report.pageErrors, 'uncaught.mjs:1:1'],
      [report.client, 'client.mjs:1:1'],
    ] as const) {
      expect(leaks).toMatchObject([{ line }]);
    }
  });

  it('sums up every handle, also of lines that left none', () => {
    expect(report.totals).toEqual({ minted: 4_074, disposed: 1_007, collected: 3_029, elided: 30, live: 8 });
  });

  it('is one of nothing, where the process of the script told nothing', () => {
    const nothing = reportOf(PATIENT, undefined, new Course());
    expect(nothing).toMatchObject({ occasion: 'end', browsers: 0, leaked: 0, totals: { minted: 0 } });
    expect(formatReport(nothing)).toContain('saw no Puppeteer');
    expect(formatReport(nothing)).toContain('0.0 % of the run');
  });
});

describe('the terminal', () => {
  const text = formatReport(reportWith(LEAKS));

  it('has each figure in its column', () => {
    expect(text).toMatch(/handles +forgotten +with page +alive +kind +line\n/);
    expect(rowsOf(text, 'worst.mjs:1:1')).toEqual([
      ['3,021', '3,000', '20', '1', 'object', 'worst.mjs:1:1'],
      ['1', '0.3 s', 'object', 'worst.mjs:1:1'], // Of what lives still.
    ]);
    expect(rowsOf(text, 'thrown.mjs:1:1')).toEqual([['5', 'object', 'thrown.mjs:1:1']]);
    expect(text).toMatch(/left behind +kept +kind +line\n/);
    expect(rowsOf(text, 'client.mjs:1:1')).toEqual([['9', '11', 'object', 'client.mjs:1:1']]);
    expect(rowsOf(text, 'clean.mjs:1:1')).toEqual([]);
  });

  it('says what came of it all in a few sentences', () => {
    expect(text).toContain(
      'Handles: 4,074. Disposed of: 1,007, forgotten: 3,029, held until their page ended: 30, alive: 8.',
    );
    expect(text).toContain('The script did not dispose of 3,028 of its own.');
    expect(text).not.toContain('The script disposed of every handle');
    const clean = formatReport(reportWith([leakOf('clean.mjs:1:1', { disposed: 1 })]));
    expect(clean).toContain('The script disposed of every handle that it was given.');
    expect(clean).not.toContain('did not dispose');
    expect(clean).not.toContain('Never disposed of');
  });

  it.each([
    [{ exitCode: 3 }, {}, 'scrape.mjs ended with code 3 after 2.0 s.'],
    [{ exitCode: undefined }, { occasion: 'asked' }, 'scrape.mjs, after 2.0 s.'],
    [{ exitCode: undefined, signal: 'SIGTERM' }, {}, 'scrape.mjs was ended by SIGTERM after 2.0 s.'],
    [
      { exitCode: undefined, signal: 'SIGKILL', elapsedMs: 2_300 },
      { occasion: 'checkpoint' },
      'scrape.mjs was ended by SIGKILL after 2.3 s; what it had forgotten may be counted as alive.',
    ],
  ] as const)('says how the script ended: %j', (patient, snapshot, sentence) => {
    expect(formatReport(reportWith([], snapshot, patient)).split('\n')[0]).toBe(sentence);
  });

  it.each([
    [undefined, false],
    [3_028, false],
    [3_027, true],
  ])('says whether that is more than --fail-over %s', (failOver, isMore) => {
    const withLimit = formatReport(reportWith(LEAKS, {}, { failOver }));
    expect(withLimit.includes('That is more than')).toBe(isMore);
    if (isMore) expect(withLimit).toContain('That is more than 3,027.');
  });

  it('folds what is behind the twentieth line', () => {
    const lines = (count: number): Leak[] =>
      Array.from({ length: count }, (_, index) => leakOf(`line-${index + 1}.mjs`, { collected: 99 - index }));
    const folded = formatReport(reportWith(lines(23)));
    expect(folded).toContain('  … and 3 lines more\n');
    expect(folded).toContain('line-20.mjs');
    expect(folded).not.toContain('line-21.mjs');
    expect(formatReport(reportWith(lines(20)))).not.toContain('lines more');
  });

  it('says whose disposals were not the script’s', () => {
    const client = leakOf('a.mjs:1:1', { source: 'client', disposed: 760 });
    expect(formatReport(reportWith([client]))).toContain('Disposed of: 760 (all by the client itself), ');
    const both = formatReport(reportWith([client, leakOf('a.mjs:1:1', { disposed: 7 })]));
    expect(both).toContain('Disposed of: 767 (760 by the client itself), ');
    expect(text).toContain('Disposed of: 1,007, ');
  });

  it('says at its end what can be done, and with which command', () => {
    expect(text.split('\n').slice(-4)).toEqual([
      'To let go of the handles: `await handle.dispose()` at the lines above, or attach.',
      'To let go of console arguments: dispose of each of `message.args()`, or attach.',
      'Errors, and what the client leaves behind, are released only where the script is attached.',
      'To attach without a change to the script: node --import cdp-release-batcher/register scrape.mjs',
    ]);
    const clean = formatReport(reportWith([leakOf('clean.mjs:1:1', { disposed: 1 })]));
    expect(clean).not.toContain('To attach');
  });

  it('says so where the script is attached, and that it counts the handles all the same', () => {
    const attached = formatReport(reportWith(LEAKS, { attached: 1 }));
    expect(attached).toContain(
      'The script is attached: what it forgets is released for it as its process collects garbage. The doctor counts it all the same.',
    );
    expect(attached).not.toContain('To attach');
    const partly = formatReport(reportWith(LEAKS, { attached: 1, browsers: 2 }));
    expect(partly).toContain('The script is attached to 1 of its 2 browsers: ');
    expect(partly).toContain('To attach');
    expect(formatReport(reportWith([], { attached: 1 }))).not.toContain('is attached');
  });

  it('tells what tracing cost', () => {
    expect(text).toContain('\nNaming the lines cost 25 ms (1.3 % of the run).');
  });
});

describe('the page', () => {
  const course = new Course();
  course.add({ elapsedMs: 1_000, live: 10, heapBytes: 5e6 });
  course.add({ elapsedMs: 4_000, live: 30, heapBytes: 9e6 });
  const html = htmlOf(reportWith(LEAKS, {}, {}, course));

  it('is headed by what was left', () => {
    expect(html).toContain('<h1>3,028 handles left undisposed</h1>');
    expect(html).toContain('<p class="lead">scrape.mjs ended with code 0 after 2.0 s.</p>');
    expect(html).toContain('<p>The script did not dispose of 3,028 of its own.</p>');
    expect(htmlOf(reportWith([]))).toContain('<h1>No handle was left undisposed</h1>');
  });

  it('has a bar for each line, as long as its share of the worst', () => {
    const widths = [...html.matchAll(/style="width:([\d.]+)%"/g)].map(([, width]) => width);
    expect(widths).toEqual(['100.0', '0.1', '0.1', '0.0']);
    expect(htmlOf(reportWith([]))).not.toContain('id="leaks"');
  });

  it('has each figure below its heading', () => {
    /** By heading, of the row that begins with the line. */
    const cells = (section: string, line: string): Record<string, string> => {
      const [, body = ''] = new RegExp(`<section id="${section}">(.*?)</section>`, 's').exec(html) ?? [];
      const [row = ''] = new RegExp(`<tr><td data-title="[^"]*">${line}</td>.*?</tr>`, 's').exec(body) ?? [];
      const found = [...row.matchAll(/<td data-title="([^"]*)">([^<]*)<\/td>/g)];
      return Object.fromEntries(found.map(([, title = '', cell = '']) => [title, cell]));
    };
    expect(cells('leaks', 'worst.mjs:1:1')).toEqual({
      line: 'worst.mjs:1:1',
      handles: '3,021',
      forgotten: '3,000',
      'with page': '20',
      alive: '1',
      kind: 'object',
    });
    expect(cells('alive', 'old.mjs:1:1')).toEqual({
      '': 'old.mjs:1:1',
      handles: '4',
      oldest: '1.5 s',
      kind: 'object',
    });
    expect(cells('thrown', 'thrown.mjs:1:1')).toMatchObject({ number: '5' });
    expect(cells('console', 'logged.mjs:1:1')).toMatchObject({ number: '6' });
    expect(cells('page-errors', 'uncaught.mjs:1:1')).toMatchObject({ number: '8' });
    expect(cells('client', 'client.mjs:1:1')).toMatchObject({ 'left behind': '9', kept: '11' });
  });

  it('says what can be done, unless the script is attached', () => {
    expect(html).toContain('<p>To attach without a change to the script: node --import ');
    expect(html).toContain('<p>Left behind: nothing references it any more. Kept: ');
    expect(htmlOf(reportWith(LEAKS, { attached: 1 }))).not.toContain('id="advice"');
  });

  it('says what was run, and with which arguments', () => {
    expect(html).toContain('<dt>Script</dt><dd>scrape.mjs --fast &lt;a&gt;</dd>');
  });

  it('draws the course in seconds, from two points on', () => {
    const [, body = ''] = /<section id="course">(.*?)<\/section>/s.exec(html) ?? [];
    const labels = [...body.matchAll(/text-anchor="middle">([^<]*)</g)].map(([, label]) => label);
    expect(labels).toEqual([
      ...['0', '1', '2', '3', '4', 'seconds'],
      ...['0', '1', '2', '3', '4', 'seconds'],
    ]);
    const short = new Course();
    short.add({ elapsedMs: 1_000, live: 1, heapBytes: 1 });
    expect(htmlOf(reportWith([], {}, {}, short))).not.toContain('id="course"');
  });
});

describe('a line is shown', () => {
  const here = process.cwd();

  it.each([
    [`${pathToFileURL(`${here}/a b.mjs`).href}:3:14`, 'a b.mjs:3:14'],
    [`${here}/src/a.cjs:3:14`, 'src/a.cjs:3:14'],
    [`${here}/src/a.cjs`, 'src/a.cjs'],
    ['/elsewhere/a.mjs:3:14', '/elsewhere/a.mjs:3:14'],
    ['https://example.test/a.js:3:14', 'https://example.test/a.js:3:14'],
    ['file://%00/a.mjs:1:1', 'file://%00/a.mjs:1:1'],
    ['elsewhere', 'elsewhere'],
    ['', ''],
  ])('%s as %s', (line, shown) => {
    expect(shownLine(line)).toBe(shown);
  });
});
