// A worker of the bench: told a way and a count, it releases that many ids that way, and says how long it took.
import { parentPort, workerData } from 'node:worker_threads';
import { connectReleasePort } from '../../dist/threads/index.js';
import { MutexRing } from './mutex-ring.mjs';

const { handle, mutexRing, messages, sessionKey } = workerData;
const port = connectReleasePort(handle);
const mutex = new MutexRing(mutexRing);

const releaseBy = {
  ring: (objectId) => port.release(sessionKey, objectId),
  mutex: (objectId) => mutex.push(sessionKey, objectId),
  arrays(objectId) {
    if (batch.push(objectId) === 64) post();
  },
  single: (objectId) => messages.postMessage({ sessionKey, objectId }),
  nothing: (objectId) => objectId.length,
};

let batch = [];
function post() {
  if (batch.length > 0) messages.postMessage(batch);
  batch = [];
}

parentPort.on('message', ({ way, count, workMicroseconds }) => {
  // Parsed, they are flat strings, as ids that came from another thread are.
  const ids = JSON.parse(
    JSON.stringify(Array.from({ length: count }, (_, at) => `-1234567890123456789.1.${at}`)),
  );
  const release = releaseBy[way];
  const started = performance.now();
  for (let index = 0; index < count; index++) {
    release(ids[index]);
    if (workMicroseconds > 0) workFor(workMicroseconds);
  }
  post();
  parentPort.postMessage({ time: performance.now() - started });
});

/** Stands in for parsing: a fixed amount of work, of about so many microseconds. */
function workFor(microseconds) {
  let state = microseconds;
  for (let turn = 0; turn < microseconds * 300; turn++) state = (state * 1103515245 + 12345) | 0;
  return state;
}
