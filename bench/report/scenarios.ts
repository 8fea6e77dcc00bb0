/** The measurements grouped by the work that they have in common, as the report shows them. */

export interface Scenario {
  /** The part of a measurement's id before the slash. */
  readonly name: string;
  readonly title: string;
  /** What the work is, in a sentence or two. */
  readonly about: string;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'bulk',
    title: 'Handles made beforehand, then dropped',
    about:
      'From the first drop until the page has let go of all. "free send" is Puppeteer with a release that costs nothing: what its own bookkeeping takes.',
  },
  {
    name: 'forget',
    title: 'A loop of evaluateHandle',
    about: 'The time of the loop, as the script sees it. Plain Puppeteer leaks where it forgets.',
  },
  { name: 'query', title: 'A loop of $$ over 200 elements', about: 'The time of the loop, per element.' },
  { name: 'keep', title: 'A loop that keeps 1 handle in 100', about: 'The time of the loop.' },
  {
    name: 'throw',
    title: 'Errors thrown in evaluate',
    about: 'Each leaves two remote objects that the script never sees. The time of the loop.',
  },
  {
    name: 'large',
    title: '200 KB handles, forgotten',
    about: 'Nobody calls for a collection. Plain Puppeteer fills the page until it crashes.',
  },
  {
    name: 'growth',
    title: 'How the cost of a handle grows with their number',
    about: 'From the end of a scope until the page has let go of all.',
  },
  {
    name: 'remote',
    title: 'A browser far away',
    about:
      'A proxy on this machine adds a delay each way. From the first drop until the page has let go of all.',
  },
  { name: 'transport', title: 'Pipe and WebSocket', about: 'A browser of its own for each.' },
  {
    name: 'pages',
    title: '50 pages at once, one of them hung',
    about: 'From the first drop until the 49 others have let go of all.',
  },
  {
    name: 'closing',
    title: 'The end of a page with many live handles',
    about: 'The time of the call alone. What is to be noted of the handles is noted afterwards.',
  },
  {
    name: 'waiting',
    title: 'Scopes that each leave a group with one live handle',
    about: 'A session that answers at once, no browser. The clock runs for 3 s after the last scope.',
  },
  {
    name: 'farm',
    title: 'Sessions by the thousand, simulated',
    about: 'One process, sessions that answer on the next turn. No browser.',
  },
  {
    name: 'flight',
    title: 'One browser for many jobs, by lazyBrowser',
    about: 'All ask at once; the first connection hangs, the second comes too late. Handles are jobs.',
  },
  {
    name: 'scripts',
    title: 'Whole scripts, cold',
    about:
      'Each runs once in a process of its own, plain and attached in turns. The clock starts when Puppeteer is connected; attach() and the first page are within. A handle is an operation.',
  },
  {
    name: 'playwright',
    title: 'Playwright, plain and attached',
    about:
      'Launched by nobody here: Playwright comes by connectOverCDP. Loops that leak nothing, await dispose() in a row, and rounds of a script that runs for hours; there a handle is a round.',
  },
  {
    name: 'enqueue',
    title: 'One enqueue',
    about: 'The call alone, in bursts of 8,192, and 20,000 times as the first work of a process; no browser.',
  },
];

export function scenarioOf(measurementId: string): string {
  return measurementId.slice(0, measurementId.indexOf('/'));
}
