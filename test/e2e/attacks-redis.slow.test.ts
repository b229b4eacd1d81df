import { attackOn, PROTOCOL_DOORS } from './attacks/run.ts'

attackOn('redis', PROTOCOL_DOORS)
