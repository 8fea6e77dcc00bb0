// In its whole size.
import '../puppeteer/streams-are-closed.test.ts';
