import { attackOn, DOORS } from './attacks/run.ts'

attackOn('memory', DOORS)
