import { attackOn, DOORS, isQuick } from './attacks/run.ts'

// Every row of the table; what the other doors make of it is tried in the slow part.
attackOn('memory', DOORS, isQuick)
