// In its whole size.
import '../puppeteer/what-has-ended-is-gone.test.ts';
