import { solve } from './solving.ts'
import { TASKS } from './tasks.ts'

/** Those that need no large files and no slow work; all sixteen are in the slow part. */
solve(
  TASKS.filter(({ isLong }) => !isLong),
  20_000,
)
