/**
 * `cdp-release-batcher bench`: its usage. The work is done by the room `bench/`, which is loaded when the command is
 * called.
 */
export const BENCH_USAGE = `  bench        measure what releasing costs, with and without the library, side by side on one browser
    --quick                        under a minute; fewer handles where the work is slow
    --rounds <number>              samples of each measurement (default 5, quick 1)
    --only <name>                  a row of the table, or measurements by a part of their name; may be repeated
    --table                        the targets only
    --json <file>                  write every sample, medians and ratios
    --html <file>                  write a page to look at
    --compare <a.json> <b.json>    say what changed between two runs, and whether it is more than noise
    --node <file>                  the Node that runs what is measured (default: this one)
    --executable-path <file>       the browser to launch
    --browser-url <url>            a browser that runs already, http://host:port
    --browser-ws-endpoint <url>    the same, by its WebSocket
`;

/** @returns the exit code. */
export async function benchCommand(args: readonly string[]): Promise<number> {
  // By its URL in the built package: the compiler takes src alone, and nothing in src may import bench.
  const entry = new URL('../bench/command.js', import.meta.url).href;
  const { runBench }: { runBench(args: readonly string[]): Promise<number> } = await import(entry);
  return runBench(args);
}
