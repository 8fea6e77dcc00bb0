// In its whole size.
import '../puppeteer/heap.test.ts';
