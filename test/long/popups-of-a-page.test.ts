// In its whole size.
import '../puppeteer/popups-of-a-page.test.ts';
