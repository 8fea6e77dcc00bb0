// Of what stands by another here the other.
import '../clients/playwright.test.ts';
