// In its whole size.
import '../puppeteer/bidi.test.ts';
