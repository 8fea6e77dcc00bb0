// Releases `count` numbered ids as fast as it can, and says so when it is done. Runs on the built library,
// as Node 20 reads no TypeScript in a worker.
import { parentPort, workerData } from 'node:worker_threads';
import { connectReleasePort } from '../../../dist/threads/index.js';

const { handle, sessionKey, name, count } = workerData;
const port = connectReleasePort(handle);
let accepted = 0;
for (let index = 0; index < count; index++) if (port.release(sessionKey, `${name}.${index}`)) accepted++;
parentPort.postMessage({ accepted });
