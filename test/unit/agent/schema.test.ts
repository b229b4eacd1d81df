import { fromJsonSchema, type JsonSchemaType } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type AuthorSchema, answerSchema, converterOf, declared } from '../../../src/agent/schema.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import type { JsonObject } from '../../../src/core/json.ts'

/** Whether a validating client takes `answer`. */
async function accepts(schema: JsonObject, answer: unknown): Promise<boolean> {
  const { issues } = await fromJsonSchema(schema as JsonSchemaType)['~standard'].validate(answer)
  return issues === undefined
}

const handle = { ref_id: 't:0', status: 'processing', is_complete: false, is_async: true }
const whole = (value: unknown) => ({
  ref_id: 't:0',
  status: 'complete',
  is_complete: true,
  is_async: false,
  value,
})

const withoutReference = (value: unknown) => {
  const { ref_id, ...rest } = whole(value)
  return rest
}

describe('the schema of all answers of a tool', () => {
  const sum = answerSchema(converterOf(z.object({ sum: z.number() }), 'output', 'it')())

  it.each([
    ['the own result of the tool', { sum: 1 }],
    ['the whole value with its reference', whole({ sum: 1 })],
    ['a preview', { ...whole(undefined), is_complete: false, preview: ['any', 'thing'] }],
    ['a handle', handle],
    [
      'a preview of which the rest could not be stored',
      { ...withoutReference(undefined), is_complete: false, preview: [1] },
    ],
  ])('takes %s', async (_, answer) => {
    expect(await accepts(sum, JSON.parse(JSON.stringify(answer)))).toBe(true)
  })

  it.each([
    ['an object of another kind', { total: 1 }],
    ['a list', [1]],
  ])('refuses %s', async (_, answer) => {
    expect(await accepts(sum, answer)).toBe(false)
  })

  it('is that of an object, whatever the tool gives, as every revision of the protocol wants it', async () => {
    const list = answerSchema(converterOf(z.array(z.number()), 'output', 'it')())
    expect(list.type).toBe('object')
    expect(await accepts(list, whole([1, 2]))).toBe(true)
    expect(await accepts(list, withoutReference([1]))).toBe(true)
  })

  it('keeps references of the result to itself right', async () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree)
      },
    })
    const tree = answerSchema(converterOf(Tree, 'output', 'it')())
    const leaf = { name: 'leaf', children: [] }
    expect(await accepts(tree, { name: 'root', children: [leaf] })).toBe(true)
    expect(await accepts(tree, { name: 'root', children: [{ name: 'leaf' }] })).toBe(false)
  })

  it('keeps definitions of the result right, and what only looks like a reference as it is', async () => {
    const schema = answerSchema({
      type: 'object',
      properties: {
        $ref: { type: 'string' },
        small: { $ref: '#/$defs/small' },
        literal: { const: { $ref: '#/$defs/small' } },
      },
      $defs: { small: { type: 'integer', maximum: 9 } },
      required: ['small'],
    })
    const value = { $ref: 'a name like any other', small: 3, literal: { $ref: '#/$defs/small' } }
    expect(await accepts(schema, value)).toBe(true)
    expect(await accepts(schema, { ...value, small: 10 })).toBe(false)
    expect(await accepts(schema, { ...value, $ref: 1 })).toBe(false)
    expect(await accepts(schema, { ...value, literal: 1 })).toBe(false)
  })
})

describe('a declared schema', () => {
  it('shows exactly what it was given, and lets everything pass', async () => {
    const shown = { type: 'object', properties: { a: { type: 'string' } } }
    const { jsonSchema, validate } = declared(() => shown)['~standard']
    expect(jsonSchema.input({ target: 'draft-2020-12' })).toBe(shown)
    expect(await validate(5)).toEqual({ value: 5 })
  })
})

describe('a schema of an author', () => {
  const silent = (extra: object): AuthorSchema =>
    ({ '~standard': { version: 1, vendor: 'silent', validate: () => ({ value: 1 }), ...extra } }) as never

  it('is converted by zod where it is one that cannot say itself', () => {
    const schema = z.object({ a: z.string() })
    const older = Object.create(schema, {
      '~standard': { value: { ...schema['~standard'], jsonSchema: undefined } },
    })
    expect(converterOf(older, 'input', 'it')()).toMatchObject({ properties: { a: { type: 'string' } } })
  })

  it('that is none, or cannot be shown, is refused with what to do', () => {
    expect(() => converterOf({ a: z.string() } as never, 'input', 'The inputSchema')).toThrow(InvalidArgument)
    expect(() => converterOf(silent({}), 'input', 'The inputSchema')).toThrow(/fromJsonSchema/)
  })
})
