// In its whole size.
import '../puppeteer/traced-calls.test.ts';
