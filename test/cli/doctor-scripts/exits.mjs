// Ends in the way that it is told to, without closing its browser first.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import puppeteer from 'puppeteer-core';

const [way, pidFile] = process.argv.slice(2);
const browser = await puppeteer.launch({
  ...JSON.parse(process.env.TEST_LAUNCH_OPTIONS),
  handleSIGTERM: false,
});
// Not Puppeteer's own end of it: what is asked for here shall end this process by itself.
const endBrowser = () => {
  try {
    process.kill(-browser.process().pid, 'SIGKILL'); // With what it has started.
  } catch {
    // Puppeteer was first.
  }
};
process.on('exit', endBrowser);
const page = await browser.newPage();
const held = [];
for (let i = 0; i < 3; i++) held.push(await page.evaluateHandle(() => () => {})); // leaks 3 function
if (way === 'exit') process.exit(5);
if (way === 'checkpoint') killAfterCheckpoint();
if (way === 'throw') throw new Error(`thrown with ${held.length} handles in hand`);
if (pidFile !== undefined) fs.writeFileSync(pidFile, `${browser.process().pid}`);
console.log('ready');
setInterval(() => held.at(0).toString(), 1_000);

/** There is no way to know of it but to see it written. */
function killAfterCheckpoint() {
  const { writeSync } = fs;
  fs.writeSync = (descriptor, bytes, ...rest) => {
    const written = writeSync(descriptor, bytes, ...rest);
    if (bytes.includes('"checkpoint"')) process.kill(process.pid, 'SIGKILL');
    return written;
  };
  syncBuiltinESMExports();
}
