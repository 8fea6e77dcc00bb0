// In its whole size.
import '../puppeteer/nothing-shows.test.ts';
