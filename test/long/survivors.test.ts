// In its whole size.
import '../puppeteer/survivors.test.ts';
