import { describe, expect, it } from 'vitest'
import { FairTurns } from '../../../src/wrap/http/fair-turns.ts'

const PER_TURN = 8

function scene() {
  const turns: Array<() => void> = []
  const fair = new FairTurns(callback => turns.push(callback))
  const begun: string[] = []
  const take = (caller: string) => void fair.take(caller).then(() => begun.push(caller))
  /** The next turn of the event loop. */
  const turn = async () => {
    turns.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { take, turn, begun, turns }
}

describe('turns of requests', () => {
  it('come at once where few begin', async () => {
    const { take, turn, begun } = scene()
    take('a')
    take('b')
    await Promise.resolve()
    expect(begun).toEqual(['a', 'b'])
    await turn()
    take('c')
    await Promise.resolve()
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  it('come to a quiet caller in the next turn, however many of another one wait', async () => {
    const { take, turn, begun } = scene()
    for (let n = 0; n < 1_000; n++) take('loud')
    take('quiet')
    await turn()
    expect(begun).toContain('quiet')
    expect(begun.length).toBeLessThanOrEqual(2 * PER_TURN)
  })

  it('come to everybody in the end, each caller’s in order, and then cost nothing', async () => {
    const { take, turn, begun, turns } = scene()
    for (let n = 0; n < 50; n++) for (const caller of ['a', 'b', 'c']) take(caller)
    for (let n = 0; n < 30; n++) await turn()
    expect(begun).toHaveLength(150)
    expect(turns).toHaveLength(0)
  })
})
