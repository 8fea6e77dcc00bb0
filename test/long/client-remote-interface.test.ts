// In its whole size.
import '../clients/chrome-remote-interface.test.ts';
