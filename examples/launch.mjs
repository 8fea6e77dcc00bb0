// What the examples share: a browser to run on. A script of yours has `await puppeteer.launch()` in its place.
import puppeteer from 'puppeteer';

/** For a machine that needs any: LAUNCH_OPTIONS='{"executablePath":"/usr/bin/chromium","args":["--no-sandbox"]}'. */
export const launchOptions = JSON.parse(process.env.LAUNCH_OPTIONS ?? '{}');

export const launch = () => puppeteer.launch(launchOptions);
