// Preloaded to an example: SIGTERM comes as it launches its browser.
import puppeteer from 'puppeteer';

const { launch } = puppeteer;
puppeteer.launch = (options) => {
  process.kill(process.pid, 'SIGTERM');
  return launch.call(puppeteer, options);
};
