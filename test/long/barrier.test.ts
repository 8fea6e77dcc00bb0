// In its whole size.
import '../puppeteer/barrier.test.ts';
