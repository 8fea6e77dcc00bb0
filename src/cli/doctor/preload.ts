/**
 * Preloaded into the script's process and into each of its threads. Nothing changes how the process ends; the present
 * figures are only written down before.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { setInterval, timeOrigin, unref } from '../../timers.ts';
import { ORDER_VARIABLE, type Order, type ThreadOrder } from './messages.ts';

const order = isMainThread
  ? orderOfProcess()
  : (getEnvironmentData(ORDER_VARIABLE) as ThreadOrder | undefined);
if (order !== undefined) await examine(order);

/** The script and the processes that it starts must not see it, except for its threads: forks preload this file too. */
function orderOfProcess(): ThreadOrder | undefined {
  const text = process.env[ORDER_VARIABLE];
  delete process.env[ORDER_VARIABLE];
  if (text === undefined) return undefined;
  const order: ThreadOrder = {
    ...(JSON.parse(text) as Order),
    startedAt: timeOrigin,
    writing: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  };
  setEnvironmentData(ORDER_VARIABLE, order as never); // Whatever can be cloned is taken.
  return order;
}

async function examine(order: ThreadOrder): Promise<void> {
  const { Examination } = await import('./examination.ts');
  const { register, registration } = await import('../../clients/puppeteer/registration.ts');
  await import('../../clients/puppeteer/register.ts');
  const examination = new Examination(order);
  const { options, onAttached } = registration(); // As CDP_RELEASE_BATCHER has it.
  register({
    options: { ...options, traceLeaks: true },
    onAttached: (attachment, browser) => {
      onAttached(attachment, browser);
      examination.onAttached(attachment, browser);
    },
  });

  process.on('exit', () => examination.write('end'));
  if (!isMainThread) return;
  process.on('SIGUSR2', () => examination.write('asked'));
  if (order.everyMs !== undefined) unref(setInterval(() => examination.write('interval'), order.everyMs));
  const { PassedSignals } = await import('./passed-signals.ts');
  new PassedSignals(order).watch();
}
