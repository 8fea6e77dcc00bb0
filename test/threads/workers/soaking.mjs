// Releases numbered ids until told to stop, and notes each one that was accepted. Some of its pushes dwell
// between claim and publish, so that a `terminate()` at a random moment often falls into that gap.
import { workerData } from 'node:worker_threads';
import { connectReleasePort } from '../../../build/threads/index.js';
import { SharedRingMemory } from '../../../build/threads/ring-memory.js';
import { soakedId } from './soaked-id.mjs';

const { handle, sessionKey, name, accepted, stop } = workerData;
const { writeSlot } = SharedRingMemory.prototype;
let pushes = 0;
SharedRingMemory.prototype.writeSlot = function (slot) {
  if (++pushes % 64 === 0) for (let turn = 0; turn < 20_000; turn++) Atomics.load(stop, 0);
  writeSlot.call(this, slot);
};

const port = connectReleasePort(handle);
for (let number = 1; Atomics.load(stop, 0) === 0; number++) {
  while (!port.release(sessionKey, soakedId(name, number))) {
    Atomics.wait(stop, 0, 0, 1);
    if (Atomics.load(stop, 0) !== 0) process.exit();
  }
  Atomics.store(accepted, name, number);
}
