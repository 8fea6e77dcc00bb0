// In its whole size.
import '../puppeteer/leak-census.test.ts';
