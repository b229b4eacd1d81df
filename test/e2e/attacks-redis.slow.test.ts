import { attackOn, isInTurn, PROTOCOL_DOORS } from './attacks/run.ts'

attackOn('redis', PROTOCOL_DOORS, isInTurn('redis'))
