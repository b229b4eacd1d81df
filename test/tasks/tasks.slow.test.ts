import { expect, it } from 'vitest'
import { solve } from './solving.ts'
import { TASKS } from './tasks.ts'

/** All of them. `npm run tasks` prints the table. */
solve(TASKS, 60_000)

it('has sixteen tasks', () => expect(TASKS).toHaveLength(16))
