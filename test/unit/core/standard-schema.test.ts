import { describe, expect, it, vi } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { jsonSchemaOf, type StandardSchema, validate } from '../../../src/core/standard-schema.ts'

type Standard = StandardSchema<unknown>['~standard']
const schema = (validate: Standard['validate'], more: object = {}): StandardSchema<unknown> => ({
  '~standard': { version: 1, vendor: 'test', validate, ...more },
})
const refusal = async (schema: StandardSchema<unknown>) => {
  try {
    await validate(schema, {}, 'The input')
    return new Error('It was valid.')
  } catch (error) {
    return error as Error
  }
}
const issues = (...list: Array<{ message: string; path?: Array<PropertyKey | { key: PropertyKey }> }>) =>
  schema(() => ({ issues: list }))

describe('a value under a schema', () => {
  it('is what the schema makes of it, now or later', async () => {
    expect(
      await validate(
        schema(value => ({ value: [value] })),
        1,
        'The input',
      ),
    ).toEqual([1])
    expect(
      await validate(
        schema(async value => ({ value: [value] })),
        1,
        'The input',
      ),
    ).toEqual([1])
    expect(
      await validate(
        schema(() => ({ value: undefined, issues: undefined })),
        1,
        'x',
      ),
    ).toBeUndefined()
  })

  it.each<[string, StandardSchema<unknown>, string]>([
    ['what is wrong', issues({ message: 'Expected text' }), 'The input is not valid: Expected text.'],
    ['no words', issues(), 'The input is not valid: .'],
    ['an empty path', issues({ message: 'Wrong', path: [] }), 'The input is not valid: Wrong.'],
    ['where', issues({ message: 'Wrong', path: ['a', 0, 'b'] }), 'The input is not valid: a.0.b: Wrong.'],
    [
      'where, in steps with keys',
      issues({ message: 'Wrong', path: [{ key: 'a' }, { key: 1 }, { key: Symbol('s') }] }),
      'The input is not valid: a.1.Symbol(s): Wrong.',
    ],
    [
      'each of them',
      issues({ message: 'Wrong', path: ['a'] }, { message: 'Missing', path: ['b'] }),
      'The input is not valid: a: Wrong; b: Missing.',
    ],
  ])('is refused with %s', async (_, refusing, message) => {
    const error = await refusal(refusing)
    expect(error).toBeInstanceOf(InvalidArgument)
    expect(error.message).toBe(message)
  })

  it.each<[string, Standard['validate']]>([
    [
      'throws',
      () => {
        throw new Error('private')
      },
    ],
    ['rejects', () => Promise.reject(new Error('private'))],
    ['answers nothing', () => undefined as never],
  ])('whose schema %s is not blamed for it', async (_, broken) => {
    const error = await refusal(schema(broken))
    expect(error).toBeInstanceOf(InvalidArgument)
    expect(error.message).toMatch(/^The input could not be checked: the schema itself failed. Its author/)
    expect(error.message).not.toMatch(/private/)
    expect(error.cause).toBeInstanceOf(Error)
  })
})

describe('the JSON Schema of a schema', () => {
  const valid: Standard['validate'] = value => ({ value })
  const offering = (input: unknown) => schema(valid, { jsonSchema: { input } })

  it('is what its library says of the input, asked for once', () => {
    const input = vi.fn(() => ({ type: 'object' }))
    const asked = offering(input)
    expect([jsonSchemaOf(asked), jsonSchemaOf(asked)]).toEqual([{ type: 'object' }, { type: 'object' }])
    expect(input).toHaveBeenCalledTimes(1)
    // What JSON Schema cannot say is left open instead of refused.
    expect(input).toHaveBeenCalledWith({
      target: 'draft-2020-12',
      libraryOptions: { unrepresentable: 'any' },
    })
  })

  it.each<[string, StandardSchema<unknown>]>([
    ['offers none', schema(valid)],
    ['offers it for results alone', schema(valid, { jsonSchema: {} })],
    ['gives no object', offering(() => 'x')],
    ['gives null', offering(() => null)],
    ['gives nothing', offering(() => undefined)],
    ['has no way to ask for it', offering(undefined)],
    [
      'cannot say it',
      offering(() => {
        throw new Error('a Date cannot be represented')
      }),
    ],
  ])('is unknown where its library %s', (_, silent) => {
    expect(jsonSchemaOf(silent)).toBeUndefined()
  })
})
