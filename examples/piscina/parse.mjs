// What each worker thread runs.
import { connectReleasePort } from 'cdp-release-batcher/threads';
import { workerData } from 'piscina';

const port = connectReleasePort(workerData);

export default function parse({ sessionKey, objectId, text }) {
  const { prices } = JSON.parse(text);
  port.release(sessionKey, objectId); // Does not wait, does not throw, posts no message.
  return prices.reduce((sum, price) => sum + price, 0);
}
