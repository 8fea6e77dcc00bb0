// In its whole size.
import '../puppeteer/session-without-target.test.ts';
