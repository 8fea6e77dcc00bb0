// In its whole size.
import '../puppeteer/whose-session.test.ts';
