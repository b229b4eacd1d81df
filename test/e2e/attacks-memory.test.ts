import { attackOn } from './attacks/run.ts'

attackOn('memory')
