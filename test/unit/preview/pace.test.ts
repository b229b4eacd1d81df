import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { lastFitting, type Steps } from '../../../src/core/steps.ts'
import { fitBudget } from '../../../src/preview/budget.ts'
import { rulerFor } from '../../../src/preview/measure.ts'
import { loadTokenizer, measure, render, Source } from '../../../src/preview/preview.ts'
import { Shrinker } from '../../../src/preview/shrink.ts'
import { prose, rows } from './values.ts'

/** What one turn may do at most: some milliseconds. Steps are far smaller. */
const WORK_PER_STEP = 20_000

const tenMegabytes: [string, () => JsonValue][] = [
  ['a list', () => rows(170_000)],
  ['an object', () => Object.fromEntries(rows(140_000).map((row, at) => [`key${at}`, row]))],
  ['a text', () => prose(10_000_000)],
  ['a run of one letter', () => 'a'.repeat(10_000_000)],
  ['a list of huge texts', () => [1, 2, 3].map(() => prose(3_300_000))],
]

describe.each(tenMegabytes)('10 MB: %s', (_, make) => {
  const source = new Source(make())

  it.each(['sample', 'truncate'] as const)('is previewed with little work, in small steps', async manner => {
    const ruler = await rulerFor('token')
    expect(source.json.length).toBeGreaterThan(9_500_000)
    const { total, largest } = workOf(
      fitBudget(source, room => new Shrinker(manner).shrink(source.value, room), ruler, 1000),
    )
    expect(total).toBeLessThan(1_000_000)
    expect(largest).toBeLessThan(WORK_PER_STEP)
  })

  it('gives way to the event loop while it is measured', async () => {
    await loadTokenizer()
    expect(await turnsDuring(measure(source, 'token'))).toBeGreaterThan(3)
  })
})

it('pages of some megabytes are laid out in many turns of the event loop', async () => {
  await loadTokenizer()
  const source = new Source(rows(60_000))
  const request = { maxSize: 5000, sizeMode: 'token', strategy: 'sample', page: 250 } as const
  expect(await turnsDuring(render(source, request))).toBeGreaterThan(50)
})

describe('lastFitting', () => {
  it('finds the last that fits, and asks little when the guess is good', () => {
    for (const [count, guess, last] of [
      [1000, 500, 0],
      [1000, 1, 1000],
      [1000, 400, 401],
      [1, 9, 1],
      [0, 1, 0],
    ] as const) {
      let asked = 0
      const fits = function* (n: number): Steps<boolean> {
        asked++
        yield 0
        return n <= last
      }
      expect(workOf(lastFitting(count, guess, fits)).answer).toBe(Math.min(last, count))
      expect(asked).toBeLessThan(25)
    }
  })
})

function workOf<T>(steps: Steps<T>): { answer: T; total: number; largest: number } {
  let total = 0
  let largest = 0
  for (;;) {
    const step = steps.next()
    if (step.done) return { answer: step.value, total, largest }
    total += step.value
    largest = Math.max(largest, step.value)
  }
}

async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let over = false
  const turn = () => {
    turns++
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  await work
  over = true
  return turns
}
