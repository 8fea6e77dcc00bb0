// In its whole size.
import '../puppeteer/disposed-then-measured.test.ts';
