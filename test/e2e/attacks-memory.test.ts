import { attackOn, QUICK_DOORS } from './attacks/run.ts'

// Every row of the table, by a door of each kind and revision; the other doors are tried in the slow part.
attackOn('memory', QUICK_DOORS)
