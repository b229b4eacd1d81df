import { attackOn, isInTurn, PROTOCOL_DOORS } from './attacks/run.ts'

attackOn('sqlite', PROTOCOL_DOORS, isInTurn('sqlite'))
