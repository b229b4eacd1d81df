import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atOnce } from '../../../../src/core/steps.ts'
import { editValue } from '../../../../src/values/edit/edit-value.ts'
import { editableValue } from '../../../../src/values/edit/editables.ts'
import { checkEdits, type Edit } from '../../../../src/values/edit/edits.ts'

function edit(text: string, edits: Edit[], kind: 'text' | 'json' = 'text', maxLength = 100_000_000) {
  const editables = [editableValue(kind, text)]
  return atOnce(editValue({ kind, text }, { editables }, checkEdits(edits), { maxLength }))
}

const code =
  'import a\r\n\r\nfunction add(x) {\r\n\treturn x + 1\r\n}\r\nfunction sub(x) {\r\n\treturn x - 1\r\n}\r\n'

describe('find and replace', () => {
  it('changes one place, and nothing else', () => {
    const { stored, changes } = edit(code, [{ find: 'x + 1', replace: 'x + $&' }])
    expect(stored.text).toBe(code.split('x + 1').join('x + $&'))
    expect(changes).toEqual([{ at: '#L4', before: '\treturn x + 1', after: '\treturn x + $&' }])
  })

  it('changes every place with all, and tells the first of them', () => {
    const text = 'aXbX'.repeat(100_000)
    const { stored, changes, moreChanges } = edit(text, [{ find: 'X', replace: '', all: true }])
    expect(stored.text).toBe('ab'.repeat(100_000))
    expect(changes.length + moreChanges).toBe(200_000)
    expect(edit('aaa', [{ find: 'aa', replace: 'b', all: true }]).stored.text).toBe('ba')
  })

  it('makes all edits, each on what the one before left, or none', () => {
    expect(
      edit('one two', [
        { find: 'one', replace: 'two' },
        { find: 'two two', replace: 'done' },
      ]).stored.text,
    ).toBe('done')
    expect(() =>
      edit('one two', [
        { find: 'one', replace: 'x' },
        { find: 'one', replace: 'y' },
      ]),
    ).toThrow(/^Edit 2 \(find\)/)
  })

  it('says where an ambiguous text occurs', () => {
    expect(() => edit(code, [{ find: 'return x', replace: '' }])).toThrow(
      'Edit 1 (find): The text occurs 2 times, in the lines 4, 7. Give more of what stands around the one you mean, or "all": true for every one.',
    )
    expect(() => edit('aaa', [{ find: 'aa', replace: '' }])).toThrow(/occurs 2 times/)
    expect(() => edit('a\n'.repeat(50), [{ find: 'a', replace: '' }])).toThrow(/more than 10 times/)
  })

  it('says what comes nearest to a text that is not there', () => {
    const refused = (find: string, text = code) => {
      try {
        edit(text, [{ find, replace: '' }])
      } catch (error) {
        return (error as Error).message
      }
      return undefined
    }
    // Other line breaks than the text has.
    expect(refused('function sub(x) {\n\treturn')).toContain('the text goes on with "\\r\\n\\treturn x - 1')
    expect(refused('function  SUB (x)  {')).toContain('Nearest is line 6: "function sub(x) {"')
    expect(refused('nothing of the kind')).toContain('Nothing in it looks like that')
    const long = refused(`function add${'y'.repeat(100_000)}`, code + 'z'.repeat(1_000_000)) as string
    expect(long.length).toBeLessThan(1_000)
  })

  it('finds what stands across the windows that it looks through', () => {
    const text = `${'x'.repeat(262_140)}needle${'x'.repeat(600_000)}needles`
    expect(edit(text, [{ find: 'needles', replace: '' }]).stored.text).toBe(text.slice(0, -7))
    expect(() => edit(text, [{ find: 'needle', replace: '' }])).toThrow(/occurs 2 times/)
  })

  it('works in a text within JSON, by its path', () => {
    const json = '{"a":1e400, "body":"one \\u0041 two", "n":1}'
    const { stored, changes } = edit(json, [{ path: '/body', find: 'A two', replace: '"B"' }], 'json')
    expect(stored.text).toBe('{"a":1e400, "body":"one \\"B\\"", "n":1}')
    expect(changes).toEqual([{ at: '#/body', before: 'one A two', after: 'one "B"' }])
    expect(() => edit(json, [{ find: 'one', replace: '' }], 'json')).toThrow(/not a text/)
    expect(() => edit(json, [{ path: '/n', find: 'one', replace: '' }], 'json')).toThrow(/no text/)
  })

  it('ends before a text becomes larger than what is stored', () => {
    const edits = [{ find: 'a', replace: 'b'.repeat(1_000), all: true }]
    expect(() => edit('a'.repeat(1_000), edits, 'text', 10_000)).toThrow(
      expect.objectContaining({ code: 'value_too_large' }),
    )
  })

  it('finds what a plain search finds', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 })
    const wanted = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(letters, wanted, letters, (text, find, replace) => {
        fc.pre(text.includes(find))
        const { stored } = edit(text, [{ find, replace, all: true }])
        expect(stored.text).toBe(text.replaceAll(find, () => replace))
        const isOnce = text.indexOf(find) === text.lastIndexOf(find)
        if (isOnce) {
          expect(edit(text, [{ find, replace }]).stored.text).toBe(text.replace(find, () => replace))
        } else expect(() => edit(text, [{ find, replace }])).toThrow(/occurs \d+ times/)
      }),
    )
  })

  it('takes no longer for a text that almost occurs everywhere', () => {
    const run = 'a'.repeat(50_000)
    const text = 'a'.repeat(3_000_000)
    expect(() => edit(text, [{ find: `${run}b${run}`, replace: '' }])).toThrow(/first 50000 characters/)
  })
})
