/**
 * Where the documents point to, there is something: a file, a heading, a test. What is published points to nothing that is
 * not. A figure with a row of the bench's result in a comment behind it is that row's: `UPDATE_FIGURES=1` writes it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../bench/report/report.ts';
import { formatFigure } from '../../bench/report/terminal.ts';
import { documents } from '../support/documents.ts';
import { PACKAGE } from '../support/script.ts';
import { testNames } from '../support/test-names.ts';

interface Link {
  readonly text: string;
  readonly path: string;
  readonly anchor: string | undefined;
  readonly title: string | undefined;
}

const LINK =
  /\[(?<text>(?:`[^`]*`|[^[\]])*)\]\((?<path>[^)\s#]*)(?:#(?<anchor>[^)\s]+))?(?: "(?<title>[^"]+)")?\)/g;
/** A figure, and in a comment behind it the row of the bench's result that it is of. */
const BENCH = /([\d,./]+(?: of [\d,]+)?(?: ×)?)<!-- ([\w./-]+ [\w-]+) -->/g;
const DOCUMENTS = [
  ...(await documents()),
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  'examples/README.md',
];

const read = (document: string): string => readFileSync(join(PACKAGE, document), 'utf8');
const report: BenchReport = JSON.parse(read('bench/results/latest.json'));

/** The links of a document that point into the repository, and the files that its pictures are in. */
function linksOf(document: string): Link[] {
  const prose = read(document).replace(/^```[\s\S]*?^```$/gm, '');
  const links = [...prose.matchAll(LINK)].map(({ groups = {} }): Link => {
    const { text = '', path = '', anchor, title } = groups;
    return { text, path, anchor, title };
  });
  const pictures = [...prose.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(
    ([, path = '']): Link => ({ text: 'picture', path, anchor: undefined, title: undefined }),
  );
  return [...links, ...pictures].filter(({ path }) => !/^\w+:/.test(path));
}

/** Headings as forges name them: lower case, spaces as dashes, without punctuation. */
function anchorsOf(document: string): string[] {
  const prose = read(document).replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What a link shows that names a target, or a measurement and one of its figures. */
function figureOf(title: string): string {
  const [id, name] = title.split(' ');
  if (id === 'table') {
    const row = report.table.find((candidate) => candidate.id === name);
    if (row === undefined) throw new Error(`no row of the bench's table is called ${name}`);
    return formatFigure(row.figure.median, row.unit);
  }
  const measurement = report.measurements.find((candidate) => candidate.id === id);
  if (measurement === undefined) throw new Error(`no measurement is called ${id}`);
  switch (name) {
    case 'leftAlive': {
      const most = Math.max(...measurement.samples.map(({ leftAlive }) => leftAlive ?? Number.NaN));
      return `${most.toLocaleString('en')} of ${measurement.handles.toLocaleString('en')}`;
    }
    case 'handlesPerSecond':
      return Number(measurement.handlesPerSecond.median.toPrecision(3)).toLocaleString('en');
    case 'commandsPerHandle':
      return formatFigure(measurement.commandsPerHandle.median, 'per handle').replace(/\.00$/, '');
    default:
      throw new Error(`no figure is called ${name}`);
  }
}

describe.each(DOCUMENTS)('%s points', (document) => {
  const links = linksOf(document);

  it('to files and headings that are there', async () => {
    for (const { path, anchor } of links) {
      const target = path === '' ? document : join(dirname(document), path);
      expect(
        await stat(join(PACKAGE, target)).catch(() => undefined),
        `${path}, from ${document}`,
      ).toBeDefined();
      if (anchor !== undefined && target.endsWith('.md')) expect(anchorsOf(target), target).toContain(anchor);
    }
  });

  it('to tests that are there, where it names them', async () => {
    for (const { path, title } of links) {
      if (title === undefined || !path.endsWith('.test.ts')) continue;
      expect(await testNames(join(PACKAGE, dirname(document), path)), path).toContain(title);
    }
  });
});

it('what is published links to nothing that is not', async () => {
  const { files }: { files: string[] } = JSON.parse(read('package.json'));
  const dead = [...(await documents()), 'CHANGELOG.md'].flatMap((document) =>
    linksOf(document)
      .map(({ path }) => (path === '' ? document : join(dirname(document), path)))
      .filter(
        (target) => !files.some((published) => target === published || target.startsWith(`${published}/`)),
      )
      .map((target) => `${document}: ${target}`),
  );
  expect(dead).toEqual([]);
});

it.each(['README.md', 'docs/figures.md'])('the figures in %s are those of the bench', (document) => {
  const shown = read(document);
  const text = shown.replace(BENCH, (_, _figure, title: string) => `${figureOf(title)}<!-- ${title} -->`);
  expect(shown.match(BENCH)?.length).toBeGreaterThan(1);
  if (process.env.UPDATE_FIGURES) writeFileSync(join(PACKAGE, document), text);
  else expect(shown).toBe(text);
});
