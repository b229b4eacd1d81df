import { killMatrix } from './fault/kill-matrix.ts'
import { repeats } from './fault/random.ts'

// Round 0 is in the quick part.
killMatrix(Array.from({ length: repeats(2) }, (_, number) => number + 1))
