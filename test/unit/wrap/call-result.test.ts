import { describe, expect, it } from 'vitest'
import { hasBlocksBesideText, payloadOf } from '../../../src/wrap/call-result.ts'

const text = (value: string) => ({ type: 'text', text: value })
const image = { type: 'image', data: Buffer.from('12345').toString('base64'), mimeType: 'image/png' }

describe('what previews and pages show of a result', () => {
  it('is the text of a single text block', () => {
    expect(payloadOf({ content: [text('line 1\nline 2')] })).toBe('line 1\nline 2')
  })

  it('is the list of texts where there are several', () => {
    expect(payloadOf({ content: [text('a'), text('b')] })).toEqual(['a', 'b'])
  })

  it('is the structured content where there is one', () => {
    expect(payloadOf({ content: [text('…')], structuredContent: { a: 1, b: [2] } })).toEqual({ a: 1, b: [2] })
  })

  it('is the list or text that a server wrapped because the protocol wants an object', () => {
    expect(payloadOf({ content: [], structuredContent: { result: [1, 2] } })).toEqual([1, 2])
    expect(payloadOf({ content: [text('x')], structuredContent: { content: 'x' } })).toBe('x')
    expect(payloadOf({ content: [], structuredContent: { inner: { a: 1 } } })).toEqual({ inner: { a: 1 } })
  })

  it('has a note in the place of binary data, wherever that is', () => {
    const note = '(5 bytes; get_cached_result with full: true gives them)'
    expect(payloadOf({ content: [text('see'), image] })).toEqual([text('see'), { ...image, data: note }])
    const resource = { type: 'resource', resource: { uri: 'a:b', blob: image.data } }
    expect(payloadOf({ content: [resource] })).toEqual([
      { type: 'resource', resource: { uri: 'a:b', blob: note } },
    ])
    const structuredContent = { content: [image] }
    expect(payloadOf({ content: [image], structuredContent })).toEqual([{ ...image, data: note }])
  })

  it('mentions what stands beside structured content and is not in it', () => {
    const link = { type: 'resource_link', uri: 'a:b', name: 'b' }
    expect(payloadOf({ content: [text('{}'), link], structuredContent: { a: 1 } })).toEqual({
      structured_content: { a: 1 },
      content: [link],
    })
  })

  it('leaves ordinary members called data alone, and values that are no tool results', () => {
    expect(payloadOf({ content: [], structuredContent: { data: 'x', blob: 'y' } })).toEqual({
      data: 'x',
      blob: 'y',
    })
    expect(payloadOf([1, 2])).toEqual([1, 2])
  })
})

it('knows which results only content blocks can carry', () => {
  expect(hasBlocksBesideText({ content: [text('a')] })).toBe(false)
  expect(hasBlocksBesideText({ content: [text('a'), image] })).toBe(true)
})
