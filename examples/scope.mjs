// A generation of handles that dies by one command, whether the script still refers to them or not.
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';

const browser = await puppeteer.launch();
const releases = attach(browser);
const page = await browser.newPage();
await page.setContent(`<table>${'<tr><td class="price">5 €</td></tr>'.repeat(1_000)}</table>`);

const before = releases.stats().commands;
const { prices, first } = await releases.scope(async () => {
  const cells = await page.$$('td.price');
  const prices = await Promise.all(cells.map((cell) => cell.evaluate((node) => node.textContent)));
  return { prices, first: releases.escape(cells[0]) }; // This one lives on.
});
await releases.flush();

const { commands, live } = releases.stats();
console.log(`${prices.length} prices read by handles that cost ${commands - before} commands to release`);
console.log(`the escaped one still works: ${await first.evaluate((node) => node.textContent)}; ${live} live`);
await browser.close();
