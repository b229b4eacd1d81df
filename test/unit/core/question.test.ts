import { describe, expect, it } from 'vitest'
import { InvalidArgument, ValueTooLarge } from '../../../src/core/errors.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import {
  type AskCapabilities,
  type AskMethod,
  answered,
  asked,
  canBeAsked,
  checkInteractive,
  checkSize,
  type InputRequest,
  isSame,
  type Question,
  refusalIn,
  toAnswers,
  toInputRequest,
  unanswered,
  withdrawn,
} from '../../../src/core/question.ts'

const MAX_BYTES = 1024 * 1024
const ELICIT = 'elicitation/create'
const SAMPLE = 'sampling/createMessage'
const form = { message: 'Which?', requestedSchema: {} }
const page = { mode: 'url', message: 'Sign in', url: 'https://example.test' }
const request = (method: AskMethod, params: JsonObject = {}): InputRequest => ({ method, params })
const question = (key: string, more: Partial<Question> = {}): Question => ({
  ...{ key, method: ELICIT, params: form },
  ...more,
})
const accept = { action: 'accept', content: {} }

describe('what a handler asks', () => {
  it.each<[AskMethod, JsonObject]>([
    [ELICIT, form],
    [ELICIT, { ...form, mode: 'form', more: 1 }],
    [ELICIT, page],
    [SAMPLE, {}],
    [SAMPLE, { messages: [] }],
  ])('may be %s %j', (method, params) => {
    expect(toInputRequest(method, params)).toEqual({ method, params })
  })

  it('is plain JSON, and shares nothing with what was given', () => {
    const given = { ...form, requestedSchema: { type: 'object' }, at: new Date(0), none: undefined }
    const { params } = toInputRequest(ELICIT, given)
    expect(params).toEqual({ ...form, requestedSchema: { type: 'object' }, at: '1970-01-01T00:00:00.000Z' })
    expect(params.requestedSchema).not.toBe(given.requestedSchema)
  })

  it.each<[AskMethod, unknown, RegExp]>([
    [SAMPLE, 'text', /object of parameters/],
    [SAMPLE, [], /object of parameters/],
    [SAMPLE, null, /object of parameters/],
    [ELICIT, 7, /object of parameters/],
    [ELICIT, undefined, /needs a `message`/],
    [ELICIT, { requestedSchema: {} }, /needs a `message`/],
    [ELICIT, { ...form, message: 7 }, /needs a `message`/],
    [ELICIT, { message: 'Which?' }, /needs a `requestedSchema`, or a `url` where `mode` is 'url'/],
    [ELICIT, { message: 'Which?', requestedSchema: 'x' }, /requestedSchema/],
    [ELICIT, { message: 'Which?', url: 'https://example.test' }, /requestedSchema/],
    [ELICIT, { ...form, mode: 'url' }, /`url`/],
  ])('may not be %s %j', (method, given, message) => {
    expect(() => toInputRequest(method, given)).toThrow(InvalidArgument)
    expect(() => toInputRequest(method, given)).toThrow(message)
  })

  it('is the same question where it says the same, in whatever order', () => {
    const one = request(ELICIT, { message: 'a', requestedSchema: { x: 1, y: 2 } })
    expect(isSame(one, request(ELICIT, { requestedSchema: { y: 2, x: 1 }, message: 'a' }))).toBe(true)
    expect(isSame(one, request(ELICIT, { message: 'b', requestedSchema: { x: 1, y: 2 } }))).toBe(false)
    expect(isSame(one, { ...one, method: SAMPLE })).toBe(false)
  })
})

describe('what a caller can be asked', () => {
  it.each<unknown>([undefined, true, false, {}, { elicitation: {} }, { sampling: { tools: {} } }])(
    'is said by %j',
    interactive => expect(checkInteractive(interactive as AskCapabilities)).toBe(interactive),
  )

  it.each<unknown>([null, [], 'all', 1, () => true])('is not said by %j', interactive => {
    expect(() => checkInteractive(interactive as AskCapabilities)).toThrow(InvalidArgument)
    expect(() => checkInteractive(interactive as AskCapabilities)).toThrow(
      /interactive.*elicitation.*sampling/,
    )
  })

  const requests = {
    form: request(ELICIT, form),
    'named form': request(ELICIT, { ...form, mode: 'form' }),
    page: request(ELICIT, page),
    model: request(SAMPLE),
    'model with tools': request(SAMPLE, { tools: [] }),
    'model with a choice of tools': request(SAMPLE, { toolChoice: {} }),
  }
  const forms = ['form', 'named form']
  it.each<[boolean | AskCapabilities | undefined, string[]]>([
    [undefined, []],
    [false, []],
    [true, Object.keys(requests)],
    [{}, []],
    [{ elicitation: {} }, forms],
    [{ elicitation: { form: {} } }, forms],
    [{ elicitation: { url: {} } }, ['page']],
    [{ elicitation: { form: {}, url: {} } }, [...forms, 'page']],
    [{ sampling: {} }, ['model']],
    [{ sampling: { tools: {} } }, Object.keys(requests).slice(3)],
    [{ elicitation: {}, sampling: {} }, [...forms, 'model']],
  ])('with %j', (interactive, expected) => {
    const can = Object.entries(requests).filter(([, one]) => canBeAsked(interactive, one))
    expect(can.map(([name]) => name)).toEqual(expected)
  })
})

describe('the questions of a task', () => {
  it('get keys that say what they are', () => {
    const first = asked([], 0, 1, request(ELICIT, form))
    expect(first).toEqual([{ key: 'elicit-1', method: ELICIT, params: form }])
    expect(asked(first, 1, 2, request(SAMPLE)).map(({ key }) => key)).toEqual(['elicit-1', 'sample-2'])
  })

  it('of an earlier run go from where the two runs part', () => {
    const earlier = [question('elicit-1', { answer: accept }), question('elicit-2'), question('elicit-3')]
    expect(asked(earlier, 1, 4, request(SAMPLE)).map(({ key }) => key)).toEqual(['elicit-1', 'sample-4'])
  })

  it('are open until they are answered or given up', () => {
    const open = question('open')
    const all = [question('answered', { answer: accept }), open, question('closed', { closed: true })]
    expect(unanswered(all)).toEqual([open])
    expect(unanswered(undefined)).toEqual([])
    expect(withdrawn([open, question('other')], 'open')).toEqual([
      question('open', { closed: true }),
      question('other'),
    ])
  })

  it('take the first answer, and none that nobody waits for', () => {
    const first = { action: 'decline' }
    const all = [
      question('a', { answer: first }),
      question('b'),
      question('c', { closed: true }),
      question('d'),
    ]
    expect(answered(all, { a: accept, b: accept, c: accept, e: accept })).toEqual([
      question('a', { answer: first }),
      question('b', { answer: accept }),
      question('c', { closed: true }),
      question('d'),
    ])
    // What every object has is no answer.
    expect(answered([question('toString')], {})).toEqual([question('toString')])
  })
})

describe('answers', () => {
  const open = [question('a'), question('b', { method: SAMPLE }), question('done', { answer: accept })]

  it('are those to questions that wait', () => {
    const sampled = { role: 'assistant' }
    expect(toAnswers(open, { a: accept, b: sampled, done: accept, other: 7 })).toEqual({
      a: accept,
      b: sampled,
    })
    expect(toAnswers(open, {})).toEqual({})
    expect(toAnswers([question('toString')], {})).toEqual({})
  })

  it.each<JsonObject>([{ action: 'accept' }, accept, { action: 'decline' }, { action: 'cancel', more: 1 }])(
    'of a user may be %j',
    answer => expect(toAnswers(open, { a: answer })).toEqual({ a: answer }),
  )

  it.each<[unknown, RegExp]>([
    [[], /Answers are an object: the key of each question/],
    ['yes', /Answers are an object/],
    [{ a: 'yes' }, /answer to a is an object/],
    [{ a: null }, /answer to a is an object/],
    [{ a: [] }, /answer to a is an object/],
    [{ b: 'yes' }, /answer to b is an object/],
    [{ a: {} }, /answer to a needs an `action`: accept, decline or cancel/],
    [{ a: { action: 'maybe' } }, /answer to a needs an `action`/],
    [{ a: { action: 'accept', content: 'x' } }, /`content` of the answer to a is an object/],
    [{ a: { action: 'accept', content: null } }, /`content` of the answer to a/],
  ])('may not be %j', (given, message) => {
    expect(() => toAnswers(open, given)).toThrow(InvalidArgument)
    expect(() => toAnswers(open, given)).toThrow(message)
  })

  it('have room together with those that are there', () => {
    const half = { action: 'accept', content: { text: 'x'.repeat(MAX_BYTES / 2) } }
    expect(() => toAnswers([question('a')], { a: half })).not.toThrow()
    expect(() => toAnswers([question('a'), question('b', { answer: half })], { a: half })).toThrow(
      ValueTooLarge,
    )
    expect(() => toAnswers([question('a'), question('b')], { a: half, b: half })).toThrow(
      /The answers of one task may have 1048576 bytes.*reference/,
    )
  })
})

it('what an entry should hold is measured in bytes of JSON', () => {
  const rest = MAX_BYTES - '[""]'.length
  expect(() => checkSize(['x'.repeat(rest)], 'It')).not.toThrow()
  for (const parts of [['x'.repeat(rest + 1)], ['ä'.repeat(rest / 2 + 1)], ['x'.repeat(rest - 1), '']]) {
    expect(() => checkSize(parts, 'It')).toThrow(ValueTooLarge)
  }
})

describe('a refusal of a client', () => {
  it('is an error of MCP in the place of a message of its model', () => {
    expect(refusalIn(SAMPLE, { error: { code: -1, message: 'User said no' } })).toEqual({
      code: -1,
      message: 'User said no',
    })
  })

  it.each<[AskMethod, JsonObject]>([
    [ELICIT, { error: { code: -1, message: 'no' } }],
    [SAMPLE, {}],
    [SAMPLE, { error: 'no' }],
    [SAMPLE, { error: { code: -1, message: 'no' }, role: 'assistant' }],
    [SAMPLE, { error: { code: -1, message: 'no', data: 1 } }],
    [SAMPLE, { error: { code: '-1', message: 'no' } }],
    [SAMPLE, { error: { code: -1, message: 7 } }],
    [SAMPLE, { error: { code: -1 } }],
  ])('is not %s %j', (method, answer) => {
    expect(refusalIn(method, answer)).toBeUndefined()
  })
})
