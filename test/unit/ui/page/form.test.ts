import { describe, expect, it } from 'vitest'
import { answerOf, fieldsOf, inputNameOf, isWebAddress } from '../../../../src/ui/page/opened/form.ts'

const filled = (values: Record<string, string>) => ({
  get: (name: string) => Object.entries(values).find(([field]) => inputNameOf(field) === name)?.[1] ?? null,
})

describe('the fields of a question', () => {
  it('are made of its schema', () => {
    const fields = fieldsOf({
      type: 'object',
      properties: {
        decision: {
          type: 'string',
          title: 'Decision',
          enum: ['merge', 'wait'],
          enumNames: ['Merge', 'Wait'],
        },
        tone: { oneOf: [{ const: 'a', title: 'Kind' }, { const: 'b' }] },
        days: { type: 'integer', default: 3 },
        sure: { type: 'boolean' },
        tags: { type: 'array' },
      },
      required: ['decision'],
    })
    expect(fields.map(({ name, kind, isRequired }) => [name, kind, isRequired])).toEqual([
      ['decision', 'choice', true],
      ['tone', 'choice', false],
      ['days', 'integer', false],
      ['sure', 'boolean', false],
      ['tags', 'json', false],
    ])
    expect(fields[0]).toMatchObject({ label: 'Decision', choices: [{ value: 'merge', title: 'Merge' }, {}] })
    expect(fields[1]?.choices).toEqual([
      { value: 'a', title: 'Kind' },
      { value: 'b', title: 'b' },
    ])
    expect(fields[2]?.initial).toBe('3')
  })

  it.each([undefined, 'text', [], { properties: 7 }])('are none for %j', schema => {
    expect(fieldsOf(schema)).toEqual([])
  })
})

it.each([
  ['https://example.com/sign?in=1', true],
  ['http://127.0.0.1:8080/', true],
  ['javascript:alert(1)', false],
  [' javascript:alert(1)', false],
  ['data:text/html,hi', false],
  ['/there', false],
])('the address %s may be a link: %s', (url, may) => {
  expect(isWebAddress(url)).toBe(may)
})

describe('an answer', () => {
  const field = (kind: 'text' | 'integer' | 'boolean' | 'json') => ({
    name: 'a',
    label: 'A',
    isRequired: false,
    kind,
  })

  it('is never in an input that hides a member of the form, such as `nextSibling`', () => {
    for (const name of ['nextSibling', 'action', 'submit', 'l', '__k', ''])
      expect(inputNameOf(name)).toMatch(/^field-/)
  })

  it('has the types of the schema', () => {
    expect(answerOf(field('text'), filled({ a: '12' }))).toEqual({ value: '12' })
    expect(answerOf(field('integer'), filled({ a: '12' }))).toEqual({ value: 12 })
    expect(answerOf(field('boolean'), filled({ a: 'on' }))).toEqual({ value: true })
    expect(answerOf(field('boolean'), filled({}))).toEqual({ value: false })
    expect(answerOf(field('json'), filled({ a: '["x"]' }))).toEqual({ value: ['x'] })
  })

  it('leaves out what was left empty, and says what is no JSON', () => {
    expect(answerOf(field('text'), filled({ a: '' }))).toEqual({})
    expect(answerOf(field('json'), filled({ a: 'x' })).problem).toContain('JSON')
  })
})
