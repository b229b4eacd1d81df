import { describe, expect, it } from 'vitest'
import { partEnds } from '../../../src/core/json-parts.ts'

describe('the ends of parts', () => {
  it.each<[string, string, number[]]>([
    ['are the commas between them', '1,2,3', [1, 3]],
    ['are not inside of lists and objects', '[1,[2,3]],{"a":[1,2],"b":3},4', [9, 27]],
    ['are not inside of strings', '"a,b",["],["],"\\",",1', [5, 13, 19]],
    ['are none in a single part', '{"a":1}', []],
    ['are none in a part that breaks off', '["a,b', []],
    ['are before a part that breaks off', '1,{"a":[2', [1]],
    ['are none in nothing', '', []],
  ])('%s: %s', (_, text, ends) => expect(partEnds(text, 0, 10)).toEqual(ends))

  it('begin where they are looked for, and are no more than were asked for', () => {
    expect(partEnds('1,2,3,4', 2, 10)).toEqual([3, 5])
    expect(partEnds('1,2,3,4', 0, 2)).toEqual([1, 3])
    expect(partEnds('1,2,3,4', 0, 0)).toEqual([])
  })
})
