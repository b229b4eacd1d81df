import { describe, expect, it } from 'vitest'
import { isReturnedResult } from '../../../src/values/returned-result.ts'

const TEXT = { type: 'text', text: 'a' }
const IMAGE = { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' }
const LINK = { type: 'resource_link', uri: 'file:///a', name: 'a' }

describe('a CallToolResult', () => {
  it.each<[string, unknown]>([
    ['no blocks', { content: [] }],
    ['a text', { content: [TEXT] }],
    ['blocks of all kinds', { content: [TEXT, IMAGE, { ...IMAGE, type: 'audio' }, LINK] }],
    ['an embedded text', { content: [{ type: 'resource', resource: { uri: 'a:b', text: '' } }] }],
    ['embedded bytes', { content: [{ type: 'resource', resource: { uri: 'a:b', blob: 'AAAA' } }] }],
    [
      'annotations',
      { content: [{ ...TEXT, annotations: { audience: ['user'], priority: 0.5 }, _meta: { a: 1 } }] },
    ],
    [
      'a link with all that it can say',
      { content: [{ ...LINK, title: 't', description: 'd', mimeType: 'm', size: 3 }] },
    ],
    ['a block with a field of a later revision', { content: [{ ...TEXT, later: 1 }] }],
    [
      'all fields',
      { content: [TEXT], structuredContent: [1], isError: true, _meta: {}, resultType: 'complete' },
    ],
    ['undefined fields', { content: [TEXT], isError: undefined, other: undefined }],
    ['base64 in lines, and without its padding', { content: [{ ...IMAGE, data: 'aGVs\r\nbG8' }] }],
    ['no bytes', { content: [{ ...IMAGE, data: '' }] }],
  ])('with %s', (_, value) => expect(isReturnedResult(value)).toBe(true))
})

describe('a value', () => {
  it.each<[string, unknown]>([
    ['no object', [TEXT]],
    ['null', null],
    ['no content', { structuredContent: {} }],
    ['content that is no list', { content: 'a' }],
    ['content that is one block', { content: TEXT }],
    ['a key that no result has', { content: [TEXT], page: 1 }],
    ['a resultType of another kind', { content: [TEXT], resultType: 'task' }],
    ['isError that is no boolean', { content: [TEXT], isError: 'no' }],
    ['_meta that is no object', { content: [TEXT], _meta: [] }],
    ['a block of an unknown type', { content: [TEXT, { type: 'video', data: 'AAAA', mimeType: 'v' }] }],
    ['a text without a text', { content: [{ type: 'text' }] }],
    ['a string among the blocks', { content: [TEXT, 'b'] }],
    ['null among the blocks', { content: [null] }],
    ['a list among the blocks', { content: [[TEXT]] }],
    ['an image that is no base64', { content: [{ ...IMAGE, data: 'no base64!' }] }],
    ['an image cut in the middle', { content: [{ ...IMAGE, data: 'aGVsb' }] }],
    ['padding that does not fit', { content: [{ ...IMAGE, data: 'aGVsbG==8' }] }],
    ['an image without its type', { content: [{ type: 'image', data: 'AAAA' }] }],
    ['a link without a name', { content: [{ type: 'resource_link', uri: 'a:b' }] }],
    ['a resource without contents', { content: [{ type: 'resource', resource: { uri: 'a:b' } }] }],
    ['a resource without an address', { content: [{ type: 'resource', resource: { text: 'a' } }] }],
    ['annotations of another kind', { content: [{ ...TEXT, annotations: { priority: 7 } }] }],
  ])('%s', (_, value) => expect(isReturnedResult(value)).toBe(false))
})

it('looks once through megabytes of base64', () => {
  const content = [{ ...IMAGE, data: 'A'.repeat(5_000_000) }]
  expect(isReturnedResult({ content })).toBe(true)
})
