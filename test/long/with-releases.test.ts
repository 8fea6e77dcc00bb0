// In its whole size.
import '../puppeteer/with-releases.test.ts';
