// In its whole size.
import '../puppeteer/register.test.ts';
