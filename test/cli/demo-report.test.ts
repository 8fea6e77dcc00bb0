import { expect, test } from 'vitest';
import { ProgressLine } from '../../src/cli/demo/progress-line.ts';
import { formatReport } from '../../src/cli/demo/report.ts';
import type { RunResult } from '../../src/cli/demo/run.ts';

const attached: RunResult = {
  done: 20_000,
  operations: 20_000,
  peakHeapBytes: 202.4e6,
  elapsedMs: 21_340,
  crashed: false,
  alive: 0,
  releaseCommands: 512,
  browserVersion: 'HeadlessChrome/156.0',
};
const plain: RunResult = {
  ...attached,
  done: 16_313,
  peakHeapBytes: 3_262e6,
  crashed: true,
  alive: null,
  releaseCommands: 0,
};

test('the table sets plain beside attached, and says what crashed', () => {
  const report = formatReport({
    node: 'v20.20.2',
    puppeteer: 'puppeteer 25.16.0',
    executablePath: '/usr/bin/chromium',
    source: 'installed',
    quick: false,
    scenarios: [{ name: 'forgottenHandles', title: 'handles forgotten', plain, attached }],
  });
  expect(report).toMatchInlineSnapshot(`
    "
    20,000 handles forgotten                   plain   attached
      objects still alive in the page   page crashed          0
      page heap at its highest              3,262 MB     202 MB
      page crashed                      after 16,313         no
      wall time                               21.3 s     21.3 s
      wall time per operation                1.31 ms    1.07 ms
      commands that released                       0        512

    Still alive: counted inside the page by WeakRefs, after each side had collected its
    own garbage and the page its own. During the work nobody called gc(). Page heap:
    garbage included, read every 100 operations. Wall time: the operations alone.
    Console messages: attached with { consoleEntries: 'discard' }.

    Node v20.20.2, puppeteer 25.16.0, HeadlessChrome/156.0
    /usr/bin/chromium (installed)"
  `);
});

test('a terminal sees one line written over, as wide each time', () => {
  const written = drawOn({ isTTY: true });
  const [label = '', ...drawings] = written.split('\r');
  expect(drawings).toHaveLength(2);
  expect(drawings.map((drawing) => drawing.trimEnd().length)).toEqual([76, 76]);
  for (const drawing of drawings) expect(drawing.startsWith(label)).toBe(true);
});

test('any other output gets one line per run, without control characters', () => {
  expect(drawOn({ isTTY: false })).toBe(
    'plain     handles forgotten               crashed at 16,313 3,262 MB  21.3 s\n',
  );
});

function drawOn({ isTTY }: { readonly isTTY: boolean }): string {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
  const line = new ProgressLine({ isTTY, write }, 'plain', 'handles forgotten');
  line.advance({ ...plain, done: 100 });
  line.finish(plain);
  return written.join('');
}
