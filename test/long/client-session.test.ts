// Of what stands by another here the other.
import '../clients/session.test.ts';
