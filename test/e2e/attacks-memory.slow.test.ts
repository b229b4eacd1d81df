import { attackOn, DOORS, isQuick } from './attacks/run.ts'

attackOn('memory', DOORS, (row, door) => !isQuick(row, door))
