// In its whole size.
import '../puppeteer/scope.test.ts';
