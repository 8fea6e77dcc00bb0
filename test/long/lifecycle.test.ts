// In its whole size.
import '../puppeteer/lifecycle.test.ts';
