import { examplesEndWell, QUICK } from './examples.ts'

examplesEndWell(QUICK)
