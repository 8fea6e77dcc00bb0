// Ties `count` ids to objects that it then forgets. Needs --expose-gc, which it has from the process.
import { workerData } from 'node:worker_threads';
import { connectReleasePort, trackInWorker } from '../../../dist/threads/index.js';

const { handle, sessionKey, count } = workerData;
const port = connectReleasePort(handle);
(() => {
  for (let index = 0; index < count; index++) trackInWorker({ index }, port, sessionKey, `${index}`);
})();
setInterval(() => globalThis.gc(), 5);
