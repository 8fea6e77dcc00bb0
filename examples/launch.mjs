// What the examples share: a browser to run on. In a script of yours this is `puppeteer.launch()`.
import puppeteer from 'puppeteer-core';
import { findBrowser, launchOptions } from '../dist/cli/browser-finder.js';

export async function launch() {
  return puppeteer.launch(launchOptions(await findBrowser()));
}
