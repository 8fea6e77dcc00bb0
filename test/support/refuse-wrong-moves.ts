// In tests a handle that goes from one state to another by no way of the table throws.
import { onWrongMoves } from '../../src/batcher/stats.ts';

onWrongMoves('throw');
