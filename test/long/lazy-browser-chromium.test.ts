// In its whole size.
import '../puppeteer/lazy-browser-chromium.test.ts';
