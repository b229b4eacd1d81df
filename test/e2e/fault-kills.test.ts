import { killMatrix } from './fault/kill-matrix.ts'

killMatrix([0])
