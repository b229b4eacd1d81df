import { describe, expect, it } from 'vitest'
import { mapJson, pathOf, type Trail } from '../../../src/core/map-json.ts'

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
