import { attackOn, DOORS, QUICK_DOORS } from './attacks/run.ts'

attackOn(
  'memory',
  DOORS.filter(door => !QUICK_DOORS.includes(door)),
)
