// Puppeteer 1 to 25 in an unchanged script, required and imported; attached from the first that can be.
import { registerRow } from '../ordinary-script.mjs';

const OLDEST_ATTACHABLE = 16;
const NEWEST = 25;

export const rows = Array.from({ length: NEWEST }, (_, index) => index + 1).flatMap((major) => {
  const packages = { puppeteer: String(major) };
  const expected = major < OLDEST_ATTACHABLE ? 'as before' : 'attached';
  return [
    registerRow({
      name: `puppeteer ${major}, require`,
      packages,
      expected,
      getting: "const required = require('puppeteer'); const puppeteer = required.default || required;",
      ending: 'cjs',
    }),
    registerRow({
      name: `puppeteer ${major}, import`,
      packages,
      expected,
      getting: "import puppeteer from 'puppeteer';",
      ending: 'mjs',
    }),
  ];
});
