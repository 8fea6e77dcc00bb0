/**
 * Preloaded into the process of the script that the doctor looks at. Everything that ends the process is left to
 * end it as it would; it only is written down what there is by then.
 */
import { isMainThread } from 'node:worker_threads';
import { ORDER_VARIABLE, type Order } from './messages.ts';

const order = process.env[ORDER_VARIABLE];
// Neither the script nor what it starts is to see it. Its threads and forks preload this file, too.
delete process.env[ORDER_VARIABLE];
if (order !== undefined && isMainThread) await examine(JSON.parse(order) as Order);

async function examine({ descriptor, everyMs }: Order): Promise<void> {
  const { Examination } = await import('./examination.ts');
  const { register } = await import('../../clients/puppeteer/registration.ts');
  await import('../../clients/puppeteer/register.ts');
  const examination = new Examination(descriptor);
  register({ options: { traceLeaks: true }, onAttached: examination.onAttached });

  process.on('exit', () => examination.write('end'));
  process.on('SIGUSR2', () => examination.write('asked'));
  if (everyMs !== undefined) setInterval(() => examination.write('interval'), everyMs).unref();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const onSignal = (): void => {
      examination.write('end');
      // Whoever else listens decides what becomes of the process. If nobody does, the signal does.
      if (process.listenerCount(name) > 1) return;
      process.off(name, onSignal);
      process.kill(process.pid, name);
    };
    process.on(name, onSignal);
  }
}
