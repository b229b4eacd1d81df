import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { shownValue, valueOfResult } from '../../../src/values/call-result.ts'

const text = (value: string) => ({ type: 'text', text: value })
const base64 = Buffer.from('12345').toString('base64')
const image = { type: 'image', data: base64, mimeType: 'image/png' }
const link = { type: 'resource_link', uri: 'a:b', name: 'b' }
const file = (uri: string, content: string) => ({ type: 'resource', resource: { uri, text: content } })

const valueIn = (content: JsonValue[], structuredContent?: JsonValue) =>
  valueOfResult({ content, ...(structuredContent === undefined ? {} : { structuredContent }) })

describe('the value of a result of texts alone', () => {
  it('is the text', () => {
    expect(valueIn([text('line 1\nline 2')]).value).toBe('line 1\nline 2')
    expect(valueIn([text('{"a": 1}')]).value).toBe('{"a": 1}')
    expect(valueIn([]).value).toBe('')
  })

  it('is all texts in their order, with a blank line between', () => {
    expect(valueIn([text('a'), text('b\n'), text('c')]).value).toBe('a\n\nb\n\n\nc')
  })

  it('is the text of a resource, byte for byte, with its address beside it', () => {
    expect(valueIn([file('file:///a', 'one\r\ntwo')])).toMatchObject({
      value: 'one\r\ntwo',
      uri: 'file:///a',
    })
  })

  it('says of resources among others where they are from', () => {
    expect(valueIn([text('Read.'), file('file:///a', 'one'), file('file:///b', 'two')]).value).toBe(
      'Read.\n\nfile:///a\none\n\nfile:///b\ntwo',
    )
  })
})

describe('the value of structured content', () => {
  it.each([
    ['an object', { a: 1, b: [2] }],
    ['an object of one member', { inner: { a: 1 } }],
    ['an object of one list', { nodes: [1, 2] }],
    ['a list', [{ id: 1 }, { id: 2 }]],
    ['a number', 7],
    ['a text', 'x'],
    ['nothing', null],
  ])('alone is itself: %s', (_, structured) => {
    expect(valueIn([], structured)).toMatchObject({ value: structured, media: [] })
  })

  it('beside the same JSON is itself, in the bytes of the text', () => {
    const pretty = '{\n  "b": [2.5],\n  "a": 1\n}\n'
    expect(valueIn([text(pretty)], { a: 1, b: [2.5] })).toMatchObject({
      value: { a: 1, b: [2.5] },
      json: pretty,
    })
    const rows = [{ id: 1 }, { id: 2 }]
    expect(valueIn([text(JSON.stringify(rows, null, 2))], rows).value).toEqual(rows)
  })

  it('whose only member is the text is that text', () => {
    for (const name of ['content', 'result', 'anything']) {
      expect(valueIn([text('a "text"')], { [name]: 'a "text"' }).value).toBe('a "text"')
    }
    expect(valueIn([text('a')], { content: 'a' }).forms).toEqual([])
    // A file that holds JSON is that file.
    expect(valueIn([text('{ "a": 1 }')], { content: '{ "a": 1 }' }).value).toBe('{ "a": 1 }')
  })

  it('whose only member is the list of the texts is those texts', () => {
    expect(valueIn([text('a'), text('b')], { result: ['a', 'b'] })).toMatchObject({
      value: 'a\n\nb',
      forms: [['a', 'b'], { result: ['a', 'b'] }],
    })
  })

  it('whose only member is the JSON of the text keeps its wrapper, and the bytes of the text', () => {
    expect(valueIn([text('[1,\n 2]')], { result: [1, 2] })).toEqual({
      value: { result: [1, 2] },
      json: '{"result":[1,\n 2]}',
      forms: [[1, 2]],
      media: [],
    })
    expect(valueIn([text('42')], { result: 42 }).value).toEqual({ result: 42 })
  })

  it('that is given as one text an item is itself', () => {
    const rows = [{ id: 1 }, { id: 2 }]
    const texts = rows.map(row => text(JSON.stringify(row, null, 2)))
    expect(valueIn(texts, { result: rows }).value).toEqual({ result: rows })
    expect(valueIn(texts, rows).value).toEqual(rows)
  })

  it('that says something else than the text stands beside it', () => {
    expect(valueIn([text('a long log')], { exit_code: 0 }).value).toEqual({
      text: 'a long log',
      structured: { exit_code: 0 },
    })
    expect(valueIn([text('10 rows')], [1, 2]).value).toEqual({ text: '10 rows', structured: [1, 2] })
    expect(valueIn([text('[1]')], { rows: [1], next: 'x' }).value).toEqual({
      text: '[1]',
      structured: { rows: [1], next: 'x' },
    })
  })

  it('beside an empty text is itself: that says nothing', () => {
    expect(valueIn([text('')], { a: 1 }).value).toEqual({ a: 1 })
    expect(valueIn([text(' \n')], [1]).value).toEqual([1])
    expect(valueIn([text('Warning'), text('')], { a: 1 }).value).toEqual({
      text: 'Warning',
      structured: { a: 1 },
    })
    expect(valueIn([text('')], { result: '' }).value).toBe('')
  })

  it('is the same JSON however a number is written', () => {
    const structured = parseJson('{"a":1e21,"b":1e2,"c":0.0}')
    expect(valueIn([text('{"a":1e+21,"b":100.0,"c":0}')], structured).value).toEqual(structured)
    expect(
      valueIn([text('12345678901234567891')], { result: parseJson('12345678901234567890') }).value,
    ).toMatchObject({
      text: '12345678901234567891',
    })
  })

  it('beside one resource that says the same is one value, with its address', () => {
    expect(valueIn([file('a:b', '{"a": 1}')], { a: 1 })).toMatchObject({
      value: { a: 1 },
      json: '{"a": 1}',
      uri: 'a:b',
    })
    expect(valueIn([file('a:b', 'one')], { content: 'one' })).toMatchObject({ value: 'one', uri: 'a:b' })
  })

  it('is not said twice where a further text says more', () => {
    expect(valueIn([text('Warning: cut.'), text('{"rows": [1]}')], { rows: [1] }).value).toEqual({
      text: 'Warning: cut.',
      structured: { rows: [1] },
    })
    expect(valueIn([text('[1]'), text('next: 7')], { result: [1] }).value).toEqual({
      text: 'next: 7',
      structured: { result: [1] },
    })
  })

  it('keeps what stands beside it in other blocks', () => {
    expect(valueIn([text('{"a":1}'), link], { a: 1 }).value).toEqual({
      structured: { a: 1 },
      content: [link],
    })
    expect(valueIn([file('a:b', 'one')], { a: 1 }).value).toEqual({ text: 'a:b\none', structured: { a: 1 } })
  })

  it('that is null says nothing beside other content', () => {
    expect(valueIn([text('x')], null).value).toBe('x')
  })
})

describe('media', () => {
  it('beside a text or structured content are named, and no part of the value', () => {
    const media = [{ type: 'image', mimeType: 'image/png', bytes: 5, base64 }]
    expect(valueIn([text('see'), image])).toMatchObject({ value: 'see', media })
    expect(valueIn([text('{"a":1}'), image], { a: 1 })).toMatchObject({ value: { a: 1 }, media })
  })

  it('alone, or among blocks that no text can carry, are the blocks', () => {
    expect(valueIn([image]).value).toEqual([image])
    expect(valueIn([text('see'), image, link]).value).toEqual([text('see'), image, link])
  })

  it('are shown as a note, wherever the result repeats them', () => {
    const note = '(5 bytes; get_cached_result with full: true gives them)'
    const resource = { type: 'resource', resource: { uri: 'a:b', blob: base64 } }
    expect(shownValue({ content: [image] }).value).toEqual([{ ...image, data: note }])
    expect(shownValue({ content: [resource] }).value).toEqual([
      { type: 'resource', resource: { uri: 'a:b', blob: note } },
    ])
    const address = `data:image/png;base64,${base64}`
    expect(shownValue({ content: [image], structuredContent: { address } }).value).toEqual({ address: note })
    const repeated = shownValue({
      content: [image],
      structuredContent: { shots: [{ png: base64, data: 'x' }] },
    })
    expect(repeated).toMatchObject({ value: { shots: [{ png: note, data: 'x' }] }, media: [] })
  })

  it('are content blocks alone: data with members of such names is data', () => {
    const rows = [
      { type: 'image', data: 'aGVsbG8gd29ybGQ=', mimeType: 'image/png' },
      { uri: 'a', blob: 'AAAA' },
    ]
    expect(shownValue({ content: [text('x')], structuredContent: rows }).value).toEqual({
      text: 'x',
      structured: rows,
    })
  })

  it('made to be slow are not', () => {
    const data = `${'='.repeat(1_000_000)}x`
    const shown = shownValue({ content: [{ type: 'image', data, mimeType: 'image/png' }] })
    expect(JSON.stringify(shown.value)).toContain('750000 bytes')
  })
})

describe('a result of thousands of texts beside a large object', () => {
  it('counts the members of the object a few times, not for every text', () => {
    let counted = 0
    const members = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, n]))
    const structured = new Proxy(members, {
      ownKeys(target) {
        counted++
        return Reflect.ownKeys(target)
      },
    })
    const content = Array.from({ length: 1_000 }, () => text('{}'))
    const { value } = valueIn(content, structured)
    expect(value).toMatchObject({ structured: members })
    expect(counted).toBeLessThan(10)
  })
})
