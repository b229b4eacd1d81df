import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { jsonForArgument } from '../../../src/values/argument.ts'
import { type JsonType, typesAt } from '../../../src/values/schema-types.ts'

const wanting = (...types: JsonType[]) => new Set(types)
const json = (value: unknown) => JSON.stringify(value)

describe('a value as an argument wants it', () => {
  it('is the value where any will do', () => {
    expect(jsonForArgument({ json: json('{"a":1}') }, wanting('string', 'object'))).toBe(json('{"a":1}'))
    expect(jsonForArgument({ json: '{"a":1}' }, wanting('string', 'object'))).toBe('{"a":1}')
  })

  it('is the JSON of a text, where the argument takes no text: to the last digit', () => {
    expect(jsonForArgument({ json: json(' {\n"a": 1.50}\n') }, wanting('object'))).toBe('{\n"a": 1.50}')
    expect(jsonForArgument({ json: json('[1,2]') }, wanting('array', 'null'))).toBe('[1,2]')
    expect(jsonForArgument({ json: json('12345678901234567890') }, wanting('integer'))).toBe(
      '12345678901234567890',
    )
    expect(jsonForArgument({ json: json('true') }, wanting('boolean'))).toBe('true')
  })

  it('is a text for an argument that takes nothing else: as the tool gave it, or compact JSON', () => {
    expect(jsonForArgument({ json: '{"a":1}', text: '{ "a": 1 }' }, wanting('string'))).toBe(
      json('{ "a": 1 }'),
    )
    expect(jsonForArgument({ json: '{"a":[1,null]}' }, wanting('string'))).toBe(json('{"a":[1,null]}'))
    expect(jsonForArgument({ json: '7' }, wanting('string', 'null'))).toBe('"7"')
  })

  it('is another form of the value where that fits', () => {
    const wrapped = { json: '{"result":[1]}', forms: ['[1]'] }
    expect(jsonForArgument(wrapped, wanting('array'))).toBe('[1]')
    expect(jsonForArgument(wrapped, wanting('object'))).toBe('{"result":[1]}')
    expect(jsonForArgument({ json: '"T"', forms: ['["T"]'] }, wanting('array'))).toBe('["T"]')
  })

  it('is nothing where there is no such form', () => {
    expect(jsonForArgument({ json: json('no JSON') }, wanting('object'))).toBeUndefined()
    expect(jsonForArgument({ json: '{"nodes":[1]}' }, wanting('array'))).toBeUndefined()
    expect(jsonForArgument({ json: json('1.5') }, wanting('integer'))).toBeUndefined()
    expect(jsonForArgument({ json: json('"7"') }, wanting('number'))).toBeUndefined()
  })
})

describe('the types that a schema admits in a place', () => {
  const schema: JsonObject = {
    type: 'object',
    properties: {
      n: { type: 'number' },
      either: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] },
      maybe: { type: 'object', nullable: true },
      some: { type: ['boolean', 'null'] },
      one: { enum: ['a', 1] },
      node: { $ref: '#/$defs/node' },
      pair: { prefixItems: [{ type: 'string' }], items: { type: 'number' } },
      all: { allOf: [{ type: ['string', 'number'] }, { type: ['integer', 'null'] }] },
      free: {},
      no: false,
      members: { required: ['a'] },
      items: { items: {} },
      closed: { patternProperties: { '^x': { type: 'object' } }, additionalProperties: false },
      far: {
        $id: 'urn:far',
        properties: { a: { $ref: 'urn:far#/$defs/a' } },
        $defs: { a: { type: 'array' } },
      },
      own: { $id: 'own', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'boolean' } } },
    },
    patternProperties: { '^x-': { type: 'string' } },
    anyOf: [{ required: ['n'] }, { properties: { late: { type: 'array' } } }],
    $defs: {
      node: {
        type: 'object',
        properties: { 'a/b': { type: 'string' }, children: { items: { $ref: '#/$defs/node' } } },
      },
    },
  }

  it.each([
    [['n'], ['number']],
    [['either'], ['string', 'array']],
    [['either', 3], ['integer']],
    [['maybe'], ['object', 'null']],
    [['some'], ['boolean', 'null']],
    [['one'], ['string', 'number']],
    [['node', 'children', 0, 'children', 7, 'a/b'], ['string']],
    [['own', 'a'], ['boolean']],
    [['pair', 0], ['string']],
    [['pair', 1], ['number']],
    [['all'], ['integer']],
    [['late'], ['array']],
    [['x-other'], undefined],
    [['free'], undefined],
    [['free', 'deep'], undefined],
    [['no'], undefined],
    [['members'], ['object']],
    [['items'], ['array']],
    [['closed', 'x1'], ['object']],
    [['far', 'a'], ['array']],
    [['either', 'name'], undefined],
  ] as const)('%j', (path, types) => {
    const found = typesAt(schema, path)
    expect(found && [...found]).toEqual(types)
  })

  it('are any where the schema goes on for ever, or branches without end', () => {
    expect(typesAt({ $ref: '#' }, ['a'])).toBeUndefined()
    expect(typesAt({ properties: { a: { $ref: '#/properties/a' } } }, ['a'])).toBeUndefined()
    const doubling = { anyOf: [{ $ref: '#/$defs/d' }, { $ref: '#/$defs/d' }], $defs: { d: { $ref: '#' } } }
    expect(typesAt(doubling, ['a', 'b'])).toBeUndefined()
    expect(typesAt({ properties: { a: { $ref: '#/nowhere' } } }, ['a'])).toBeUndefined()
    expect(typesAt({ properties: { a: { $ref: 'https://example.com/a' } } }, ['a'])).toBeUndefined()
  })
})
