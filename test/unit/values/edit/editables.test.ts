import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../../src/core/json-text.ts'
import { atOnce } from '../../../../src/core/steps.ts'
import type { CallResult } from '../../../../src/values/call-result.ts'
import { editValue } from '../../../../src/values/edit/edit-value.ts'
import { editablesOf } from '../../../../src/values/edit/editables.ts'
import { checkEdits, type Edit } from '../../../../src/values/edit/edits.ts'

/** Edits a result of a tool. */
function edit(result: JsonObject, ...edits: Edit[]) {
  const stored = { kind: 'json', text: stringifyJson(result) } as const
  const found = editablesOf(result as CallResult)
  return parseJson(atOnce(editValue(stored, found, checkEdits(edits), { maxLength: 1e8 })).stored.text)
}

const text = (value: string) => ({ type: 'text', text: value })
const indented = (value: JsonValue) => JSON.stringify(value, null, 2)

describe('an edit of a result', () => {
  it('changes a text and its copy in the structured content alike', () => {
    const meta = { _meta: { x: 1 } }
    const replace: Edit = { find: 'two', replace: '2' }
    expect(edit({ content: [text('one two')], ...meta }, replace)).toEqual({
      content: [text('one 2')],
      ...meta,
    })
    expect(edit({ content: [text('one two')], structuredContent: { content: 'one two' } }, replace)).toEqual({
      content: [text('one 2')],
      structuredContent: { content: 'one 2' },
    })
    expect(
      edit({ content: [text('one'), text('two')], structuredContent: { result: ['one', 'two'] } }, replace),
    ).toEqual({
      content: [text('one'), text('2')],
      structuredContent: { result: ['one', '2'] },
    })
    const resource = (value: string) => ({ type: 'resource', resource: { uri: 'file:///a', text: value } })
    expect(edit({ content: [resource('one two')] }, replace)).toEqual({ content: [resource('one 2')] })
  })

  it('changes JSON in its text and its structured content, each in its own bytes', () => {
    const value = { rows: [{ id: 1, note: 'é' }], total: 1 }
    const json = indented(value).replace('é', '\\u00e9')
    const rename: Edit = { op: 'replace', path: '/rows/0/id', value: 7 }
    const changed = { rows: [{ id: 7, note: 'é' }], total: 1 }
    const changedJson = json.replace('"id": 1', '"id": 7')
    expect(edit({ content: [text(json)], structuredContent: value }, rename)).toEqual({
      content: [text(changedJson)],
      structuredContent: changed,
    })
    expect(edit({ content: [text(json)] }, rename)).toEqual({ content: [text(changedJson)] })
    expect(edit({ content: [], structuredContent: value }, rename)).toEqual({
      content: [],
      structuredContent: changed,
    })
    // A wrapper that only the protocol wanted: pointers into both forms work.
    for (const path of ['/result/rows/0/id', '/rows/0/id', '/content/0/rows/0/id']) {
      expect(
        edit({ content: [text(json)], structuredContent: { result: value } }, { ...rename, path } as Edit),
        path,
      ).toEqual({
        content: [text(changedJson)],
        structuredContent: { result: changed },
      })
    }
  })

  it('keeps text and structured content alike where the wrapper changes', () => {
    const result = { content: [text(indented([1, 2]))], structuredContent: { result: [1, 2] } }
    expect(edit(result, { op: 'replace', path: '/result', value: [3] })).toEqual({
      content: [text(indented([3]))],
      structuredContent: { result: [3] },
    })
    expect(edit(result, { op: 'add', path: '/note', value: 'x' })).toEqual({
      content: [text(indented({ result: [1, 2], note: 'x' }))],
      structuredContent: { result: [1, 2], note: 'x' },
    })
    expect(edit(result, { op: 'replace', path: '', value: { result: [] } })).toEqual({
      content: [text('[]')],
      structuredContent: { result: [] },
    })
  })

  it('keeps a text for each item of a list', () => {
    const items = [{ id: 1 }, { id: 2 }, { id: 3 }]
    const content = items.map(item => text(indented(item)))
    const result = { content, structuredContent: { result: items } }
    expect(
      edit(result, { op: 'remove', path: '/result/0' }, { op: 'replace', path: '/result/1/id', value: 9 }),
    ).toEqual({
      content: [content[1], text(indented({ id: 9 }))],
      structuredContent: { result: [{ id: 2 }, { id: 9 }] },
    })
  })

  it('adds, moves and copies into the list that an object wraps', () => {
    const [one, two, three] = [{ id: 1 }, { id: 2 }, { id: 3 }]
    const resultOf = (list: JsonObject[]) => ({
      content: list.map(item => text(JSON.stringify(item))),
      structuredContent: { result: list },
    })
    const result = resultOf([one, two, three])
    expect(edit(result, { op: 'move', from: '/0', path: '/2' })).toEqual(resultOf([two, three, one]))
    expect(edit(result, { op: 'copy', from: '/0', path: '/3' })).toEqual(resultOf([one, two, three, one]))
    expect(edit(result, { op: 'add', path: '/-', value: { id: 4 } })).toEqual(
      resultOf([one, two, three, { id: 4 }]),
    )
    const whole = { content: [text('[1,2]')], structuredContent: { result: [1, 2] } }
    expect(edit(whole, { op: 'move', from: '/0', path: '/1' })).toEqual({
      content: [text('[2,1]')],
      structuredContent: { result: [2, 1] },
    })
    for (const value of ['evil', [], { other: 1 }, { result: 'x' }] as JsonValue[]) {
      expect(() => edit(result, { op: 'replace', path: '', value })).toThrow(/has to stay at "\/result"/)
    }
  })

  it('changes one of two that say different things', () => {
    const result = { content: [text('A document\nof lines')], structuredContent: { pages: 3, content: 'x' } }
    expect(
      edit(
        result,
        { find: 'document', replace: 'text' },
        { op: 'replace', path: '/structured/pages', value: 4 },
      ),
    ).toEqual({
      content: [text('A text\nof lines')],
      structuredContent: { pages: 4, content: 'x' },
    })
    expect(edit(result, { op: 'replace', path: '/text', value: 'new' })).toMatchObject({
      content: [text('new')],
    })
    expect(edit(result, { op: 'replace', path: '/pages', value: 5 })).toMatchObject({
      structuredContent: { pages: 5 },
    })
  })

  it('names one of several texts by its block', () => {
    const result = { content: [text('{"a":1}'), text('same'), text('same')] }
    expect(edit(result, { op: 'replace', path: '/content/0/a', value: 2 })).toMatchObject({
      content: [text('{"a":2}'), text('same'), text('same')],
    })
    expect(edit(result, { op: 'replace', path: '/content/1', value: 'new' })).toMatchObject({
      content: [{}, text('new'), text('same')],
    })
    expect(() => edit(result, { find: 'same', replace: 'x' })).toThrow(/several blocks/)
    expect(edit(result, { find: 'same', replace: 'x', path: '/content/2' })).toMatchObject({
      content: [{}, text('same'), text('x')],
    })
    expect(() => edit(result, { op: 'remove', path: '/a' })).toThrow(/#\/content\/0, #\/content\/1/)
  })

  it('changes fields of blocks that no text can carry', () => {
    const link = { type: 'resource_link', uri: 'file:///a', name: 'a' }
    expect(edit({ content: [text('see'), link] }, { op: 'replace', path: '/1/name', value: 'b' })).toEqual({
      content: [text('see'), { ...link, name: 'b' }],
    })
  })
})
