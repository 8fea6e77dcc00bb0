// In its whole size.
import '../puppeteer/never-early.test.ts';
