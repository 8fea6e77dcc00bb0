/** The entry of the bench: what its arguments ask for. `src/cli/bench.ts` loads it. */
import { parseArgs } from 'node:util';
import { BENCH_USAGE } from '../src/cli/bench.ts';
import { CannotRunError } from '../src/cli/cannot-run-error.ts';
import { type BenchOptions, bench } from './bench.ts';
import { compareFiles } from './report/compare.ts';

/** @returns the exit code. */
export async function runBench(args: readonly string[]): Promise<number> {
  const order = benchOrderOf(args);
  return 'compare' in order ? compareFiles(order.compare) : bench(order);
}

/** @throws {CannotRunError} that names what cannot be understood. */
export function benchOrderOf(
  args: readonly string[],
): BenchOptions | { readonly compare: readonly string[] } {
  const { values, positionals } = parse(args);
  if (values.compare.length > 0) return { compare: [...values.compare, ...positionals] };
  if (positionals.length > 0) throw new CannotRunError(`Too many arguments: ${positionals.join(' ')}.`);
  const rounds = values.rounds === undefined ? (values.quick ? 1 : 5) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000) {
    throw new CannotRunError(`--rounds must be a whole number from 1 to 1,000, got "${values.rounds}".`);
  }
  const named = ['executable-path', 'browser-url', 'browser-ws-endpoint'].filter((name) => name in values);
  if (named.length > 1) throw new CannotRunError(`--${named.join(' and --')}: name one browser.`);
  return {
    quick: values.quick,
    rounds,
    only: values.only,
    tableOnly: values.table,
    jsonFile: values.json,
    htmlFile: values.html,
    node: values.node,
    executablePath: values['executable-path'],
    browserUrl: values['browser-url'],
    browserWSEndpoint: values['browser-ws-endpoint'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] as string[] },
        table: { type: 'boolean', default: false },
        json: { type: 'string' },
        html: { type: 'string' },
        node: { type: 'string' },
        compare: { type: 'string', multiple: true, default: [] as string[] },
        'executable-path': { type: 'string' },
        'browser-url': { type: 'string' },
        'browser-ws-endpoint': { type: 'string' },
      },
    });
  } catch (error) {
    throw new CannotRunError(`${(error as Error).message}\n\n${BENCH_USAGE}`);
  }
}
