import { it } from 'vitest'
import { onEachBackend } from './fault/backends.ts'
import { KILLS, playRound } from './fault/kill-round.ts'
import { Random, repeats, SEED } from './fault/random.ts'

/** Rounds wait most of their time, so some can be played at once. */
const AT_ONCE = 3
const REPEATS = repeats(3)
const MINUTE = 60_000

console.log(`Kill matrix: ${REPEATS} rounds a point; FAULT_SEED=${SEED} plays them again.`)

onEachBackend(backend => {
  it.each(KILLS)(
    'loses nothing when a process is killed %s',
    async kill => {
      const play = async (round: number) => {
        const seed = SEED + round
        const place = await backend.open()
        try {
          await playRound(place, kill, new Random(seed))
          await place.end()
        } catch (cause) {
          throw new Error(`Killed ${kill}; FAULT_SEED=${seed} FAULT_REPEATS=1 plays this round alone.`, {
            cause,
          })
        }
      }
      for (let round = 0; round < REPEATS; round += AT_ONCE) {
        const rounds = Array.from({ length: Math.min(AT_ONCE, REPEATS - round) }, (_, n) => play(round + n))
        await Promise.all(rounds)
      }
    },
    MINUTE + REPEATS * 10_000,
  )
})
