// In its whole size.
import '../clients/puppeteer.test.ts';
