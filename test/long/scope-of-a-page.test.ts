// In its whole size.
import '../puppeteer/scope-of-a-page.test.ts';
