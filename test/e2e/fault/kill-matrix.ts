import { it } from 'vitest'
import type { Backend } from './backends.ts'
import { KILLS, type Kill, playRound } from './kill-round.ts'
import { Random, SEED } from './random.ts'

/** Rounds wait most of their time, so some can be played at once. */
const AT_ONCE = 3
const LIMIT = 120_000

/** Plays rounds of kills. The number of a round is its part of the seed. */
export function killMatrix(
  backend: Backend,
  rounds: readonly number[],
  kills: readonly Kill[] = KILLS,
): void {
  console.log(`Kill matrix: rounds ${rounds.join(', ')} of each kill; FAULT_SEED=${SEED} plays them again.`)
  it.each(kills)(
    'loses nothing when a process is killed %s',
    async kill => {
      const play = async (round: number) => {
        const seed = SEED + round
        const place = await backend.open()
        try {
          await playRound(place, kill, new Random(seed))
          await place.end()
        } catch (cause) {
          const again = `FAULT_SEED=${seed} plays it again as round 0`
          throw new Error(`Killed ${kill}, in round ${round}; ${again}.`, { cause })
        }
      }
      for (let next = 0; next < rounds.length; next += AT_ONCE) {
        await Promise.all(rounds.slice(next, next + AT_ONCE).map(play))
      }
    },
    LIMIT + rounds.length * 10_000,
  )
}
