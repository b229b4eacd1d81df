import { describe, expect, it } from 'vitest'
import { atOnce, done, lastFitting, paced, type Steps } from '../../../src/core/steps.ts'

const WORK_PER_TURN = 20_000

function* working<T>(answer: T, ...work: number[]): Steps<T> {
  yield* work
  return answer
}

/** Whether the event loop turned while the steps ran. */
async function turns(...work: number[]): Promise<boolean> {
  let turned = false
  const immediate = setImmediate(() => {
    turned = true
  })
  expect(await paced(working('answer', ...work))).toBe('answer')
  clearImmediate(immediate)
  return turned
}

describe('paced steps', () => {
  it('give way to the event loop once they have worked for a while', async () => {
    expect(await turns(WORK_PER_TURN)).toBe(true)
    expect(await turns(WORK_PER_TURN - 1)).toBe(false)
    // Short computations one after the other count together.
    expect(await turns(1)).toBe(true)
    expect(await turns()).toBe(false)
    expect(await turns(0, 10, 10)).toBe(false)
    expect(await turns(WORK_PER_TURN / 2, WORK_PER_TURN / 2)).toBe(true)
  })

  it('fail with what a step throws', async () => {
    const failing = function* (): Steps<never> {
      yield 1
      throw new Error('a step')
    }
    await expect(paced(failing())).rejects.toThrow('a step')
    expect(() => atOnce(failing())).toThrow('a step')
  })
})

describe('steps at once', () => {
  it('answer without a pause, however much they work', () => {
    expect(atOnce(working('answer', WORK_PER_TURN, WORK_PER_TURN))).toBe('answer')
  })

  it('of no work at all have none to tell', () => {
    expect([...done('answer')]).toEqual([0])
    expect(atOnce(done('answer'))).toBe('answer')
  })
})

describe('the last number that fits', () => {
  /** The answer, and what was asked for it. */
  function last(count: number, guess: number, fits: (n: number) => boolean) {
    const asked: number[] = []
    const answer = atOnce(
      lastFitting(count, guess, function* (n) {
        yield 1
        asked.push(n)
        return fits(n)
      }),
    )
    return { answer, asked }
  }

  it('is found from any guess', () => {
    const wrong: unknown[] = []
    for (let count = 0; count <= 20; count++) {
      for (let limit = 0; limit <= count; limit++) {
        for (const guess of [-3, 0, 1, 2, limit, limit + 1, count, count + 9]) {
          const { answer, asked } = last(count, guess, n => n <= limit)
          const outside = asked.filter(n => n < 1 || n > count)
          const again = asked.length - new Set(asked).size
          if (answer !== limit || outside.length + again > 0)
            wrong.push({ count, limit, guess, answer, asked })
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('costs two questions after a good guess, and one at the end of the range', () => {
    expect(last(1_000, 500, n => n <= 500).asked).toEqual([500, 501])
    expect(last(1_000, 501, n => n <= 500).asked).toEqual([501, 500])
    expect(last(1_000, 1_000, () => true).asked).toEqual([1_000])
    expect(last(1_000, 1, () => false).asked).toEqual([1])
    expect(last(0, 1, () => true)).toEqual({ answer: 0, asked: [] })
  })

  it('costs few after a bad one, in either direction', () => {
    expect(last(1_000_000, 1, n => n <= 700_000).asked.length).toBeLessThan(45)
    expect(last(1_000_000, 1_000_000, n => n <= 3).asked.length).toBeLessThan(45)
    // By its distance from the answer, not by the size of the range.
    expect(last(1_000_000, 500, n => n <= 510).asked.length).toBeLessThan(10)
    expect(last(1_000_000, 510, n => n <= 500).asked.length).toBeLessThan(10)
  })

  it('did fit when it was asked, also where a larger number fits and a smaller one does not', () => {
    const fits = (n: number) => n % 3 === 0
    for (let guess = 1; guess <= 30; guess++) {
      const { answer, asked } = last(30, guess, fits)
      if (answer > 0) expect([asked.includes(answer), fits(answer)]).toEqual([true, true])
    }
  })
})
