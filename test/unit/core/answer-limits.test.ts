import { describe, expect, it } from 'vitest'
import { budgetWithin, limitText, narrower, waitWithin } from '../../../src/core/answer-limits.ts'

describe('the narrower of two limits', () => {
  it('is the smaller one in each measure, and has those that only one of them has', () => {
    expect(narrower({ tokens: 5, characters: 100 }, { tokens: 7, characters: 30, lines: 2 })).toStrictEqual({
      ...{ tokens: 5, characters: 30, lines: 2 },
    })
    expect(narrower({ lines: 0 }, { lines: 4 })).toStrictEqual({ lines: 0 })
  })

  it('of limits that say nothing says nothing', () => expect(narrower({}, {})).toStrictEqual({}))
})

describe('a wait', () => {
  it('is no longer than the reader waits', () => {
    expect(waitWithin(5_000, { patience: 3_000 })).toBe(3_000)
    expect(waitWithin(2_000, { patience: 3_000 })).toBe(2_000)
    expect(waitWithin(0, { patience: 3_000 })).toBe(0)
  })

  it('is for ever only where the reader waits so long', () => {
    expect(waitWithin(undefined, { patience: 3_000 })).toBe(3_000)
    expect(waitWithin(undefined, {})).toBeUndefined()
    expect(waitWithin(7, undefined)).toBe(7)
  })
})

describe('the budget of a page', () => {
  it('leaves room for what stands around it: 1,500 tokens, and of a small answer a quarter', () => {
    expect(budgetWithin({ tokens: 25_000 }, 'token')).toBe(23_500)
    expect(budgetWithin({ tokens: 1_000 }, 'token')).toBe(750)
    expect(budgetWithin({ characters: 100_000 }, 'character')).toBe(97_000)
    expect(budgetWithin({ characters: 1_001 }, 'character')).toBe(750)
  })

  it('keeps within a limit in the other unit: a token has at least two characters, and seldom more than five', () => {
    expect(budgetWithin({ tokens: 25_000 }, 'character')).toBe(47_000)
    expect(budgetWithin({ characters: 100_000 }, 'token')).toBe(18_500)
  })

  it('keeps within both limits', () => {
    expect(budgetWithin({ tokens: 1_000, characters: 100_000 }, 'token')).toBe(750)
    expect(budgetWithin({ tokens: 25_000, characters: 1_000 }, 'token')).toBe(150)
  })

  it('is at least 1', () => expect(budgetWithin({ tokens: 0 }, 'token')).toBe(1))
})

it('a limit in words names each measure that it has', () => {
  expect(limitText({ tokens: 8_000, characters: 50_000, lines: 200 })).toBe(
    '8000 tokens and 50000 characters and 200 lines',
  )
  expect(limitText({ characters: 0 })).toBe('0 characters')
  expect(limitText({})).toBe('')
})
