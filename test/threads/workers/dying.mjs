// Claims a slot, and never comes to publish it: the thread hangs in the very step that another thread's
// `terminate()` would have to hit otherwise.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedRingMemory } from '../../../build/threads/ring-memory.js';
import { SharedRingQueue } from '../../../build/threads/shared-ring-queue.js';

const memory = SharedRingMemory.over(workerData.handle.ring);
memory.writeSlot = () => {
  parentPort.postMessage('claimed');
  for (;;);
};
new SharedRingQueue(memory).push(workerData.sessionKey, 'never published');
