/**
 * Jobs that all ask for the one browser at once, in bad weather: the first connection hangs, the second is
 * slow and comes too late. What the jobs wait is the two deadlines; what counts is that each gets a browser,
 * and all the same one.
 */
import { type Launch, lazyBrowser } from '../../src/clients/puppeteer/index.ts';
import type { Workshop } from '../sampling/measurement.ts';
import type { BenchBrowser } from '../sampling/puppeteer-structure.ts';
import type { Sample } from '../sampling/sample.ts';
import { Stopwatch } from '../sampling/stopwatch.ts';

const DEADLINE_MS = 100;
const POLL_MS = 5;

export async function shareBrowser(
  { puppeteer, browserWSEndpoint }: Workshop,
  jobs: number,
): Promise<Sample> {
  const connect = (): Promise<BenchBrowser> =>
    puppeteer.connect({ browserWSEndpoint, defaultViewport: null });
  const hang = (): Promise<BenchBrowser> => new Promise(() => {});
  const comeTooLate = ({ signal }: Launch): Promise<BenchBrowser> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(connect())));
  const launches = [hang, comeTooLate];
  const getBrowser = lazyBrowser((launch) => (launches.shift() ?? connect)(launch), {
    deadlineMs: DEADLINE_MS,
    pollMs: POLL_MS,
  });

  const watch = new Stopwatch();
  watch.start();
  void getBrowser(); // Nobody will ever hear of it again.
  const browsers = new Set(await Promise.all(Array.from({ length: jobs }, () => getBrowser())));
  const timing = watch.stop();
  for (const browser of browsers) await browser.disconnect();
  const extra = { browsers: browsers.size, ...getBrowser.stats() };
  return { ...timing, handles: jobs, commands: 0, mustLetGo: false, extra };
}
