import { describe, expect, it } from 'vitest'
import { shownValue } from '../../../src/card/table.ts'
import { detailsOf, etaInWords } from '../../../src/card/words.ts'

const table = (columns: string[], rows: unknown[], left = 0) => ({ kind: 'table', columns, rows, left })

describe('a value in the card', () => {
  it('is a table where it is a list of records, also a dense one', () => {
    const marked = [{ a: 1, b: null }, '…(items 2 to 363)', { a: 'x', c: { d: 1 } }]
    expect(shownValue(marked)).toEqual(
      table(['a', 'b', 'c'], [['1', 'null', ''], '…(items 2 to 363)', ['x', '', '{"d":1}']]),
    )
    expect(shownValue({ columns: ['a'], rows: [[true], '…(rows 2 to 9)'] })).toEqual(
      table(['a'], [['true'], '…(rows 2 to 9)']),
    )
  })

  it('is the list that an object is about, else its fields', () => {
    expect(shownValue({ total: 1, items: [{ id: 7 }] })).toEqual(table(['id'], [['7']]))
    expect(shownValue({ pages: 3, tags: ['a'] })).toEqual(
      table(
        ['', 'value'],
        [
          ['pages', '3'],
          ['tags', '["a"]'],
        ],
      ),
    )
    expect(shownValue({ a: [{ x: 1 }], b: [{ y: 1 }] })).toMatchObject({ columns: ['', 'value'] })
  })

  it('has an empty cell where a record has no field of a name that every object of JavaScript has', () => {
    const list = JSON.parse('[{"constructor":1,"__proto__":2,"toString":3},{"a":4}]')
    expect(shownValue(list)).toEqual(
      table(
        ['constructor', '__proto__', 'toString', 'a'],
        [
          ['1', '2', '3', ''],
          ['', '', '', '4'],
        ],
      ),
    )
  })

  it('is shown, however deep it is nested', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(shownValue([{ deep, a: 1 }])).toEqual(table(['deep', 'a'], [['…', '1']]))
    expect(shownValue({ deep })).toMatchObject({ rows: [['deep', '…']] })
    expect(shownValue(deep)).toMatchObject({ rows: [['…']] })
  })

  it('is a column of scalars, or a text', () => {
    expect(shownValue([1, 'two', '…(items 3 to 9)'])).toEqual(
      table(['value'], [['1'], ['two'], '…(items 3 to 9)']),
    )
    expect(shownValue('plain')).toEqual({ kind: 'text', text: 'plain' })
    expect(shownValue(0)).toEqual({ kind: 'text', text: '0' })
    expect(shownValue(null)).toEqual({ kind: 'text', text: 'null' })
    expect(shownValue(undefined)).toEqual({ kind: 'nothing' })
    expect(shownValue([])).toEqual(table(['value'], []))
  })

  it('never makes a page that is too large to show', () => {
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`c${n}`, 'x'.repeat(5_000)]))
    const shown = shownValue(Array.from({ length: 5_000 }, () => wide))
    expect(shown).toMatchObject({ kind: 'table', left: 4_500 })
    expect(JSON.stringify(shown).length).toBeLessThan(2_500_000)
    expect(shownValue('x'.repeat(100_000))).toMatchObject({ text: expect.stringMatching(/^x{8000}…$/) })
  })
})

describe('the words under the bar', () => {
  const running = { kind: 'running', refId: 'r', isWaiting: false, attempt: 1, pollAfterSeconds: 5 } as const

  it('say what the task says, how long it takes, and which try it is', () => {
    expect(detailsOf(running)).toEqual([])
    expect(detailsOf({ ...running, count: '3 of 9', etaSeconds: 20 })).toEqual(['3 of 9', 'about 20 s left'])
    expect(detailsOf({ ...running, count: '3 of 9', words: 'page 3 of 9' })).toEqual(['page 3 of 9'])
    expect(detailsOf({ ...running, isAsking: true })).toEqual(['it has a question: answer it in the chat'])
    expect(detailsOf({ ...running, attempt: 2, attempts: 4, isWaiting: true })).toEqual([
      'waiting for its turn',
      'try 2 of 4',
    ])
    expect(detailsOf({ ...running, attempt: 3 })).toEqual(['try 3'])
  })

  it('say times as a person does', () => {
    expect([0.2, 23.3, 89, 90, 3_600, 9_000].map(etaInWords)).toEqual([
      'almost done',
      'about 23 s left',
      'about 89 s left',
      'about 2 min left',
      'about 60 min left',
      'about 3 h left',
    ])
  })
})
