import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/core/json-text.ts'
import { mapJson, mapJsonSteps, pathOf, type Trail, withPlainNumbers } from '../../../src/core/map-json.ts'

describe('where a part of a value stands', () => {
  it('is told by names and positions, from where the value itself stands', () => {
    const found: unknown[] = []
    const start = { step: 'top', above: undefined }
    mapJson(
      { a: [0, { b: 'x' }] },
      (part, trail) => {
        if (part === 'x') found.push(pathOf(trail, 10))
        return undefined
      },
      start,
    )
    expect(found).toEqual([['top', 'a', 1, 'b']])
  })

  it('is not spelled out beyond the steps that were asked for', () => {
    let trail: Trail | undefined
    for (let step = 0; step < 5; step++) trail = { step, above: trail }
    expect(pathOf(trail, 5)).toEqual([0, 1, 2, 3, 4])
    expect(pathOf(trail, 4)).toBeUndefined()
    expect(pathOf(undefined, 0)).toEqual([])
  })
})

describe('a large value', () => {
  const steps = (parts: number, keep: number): number[] => {
    const lists = Array.from({ length: parts / keep }, () => Array.from({ length: keep - 1 }, () => 1))
    return [...mapJsonSteps(lists, () => undefined)]
  }

  it('is copied in steps of some thousand parts, each of which says its size', () => {
    const sizes = steps(10_000, 100)
    expect(sizes.length).toBeGreaterThanOrEqual(8)
    expect(sizes.every(size => size >= 4_000 && size < 4_800)).toBe(true)
  })

  it('is not, where it is small', () => expect(steps(900, 100)).toEqual([]))
})

it('a value with plain numbers is one to compute with', () => {
  const exact = parseJson('{"a":[0.50,1e400],"b":1}')
  expect(withPlainNumbers(exact)).toStrictEqual({ a: [0.5, Number.POSITIVE_INFINITY], b: 1 })
})
