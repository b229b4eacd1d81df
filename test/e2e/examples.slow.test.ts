import { examplesEndWell, SLOW } from './examples.ts'

examplesEndWell(SLOW)
