import { describe, expect, it } from 'vitest'
import * as errors from '../../../src/core/errors.ts'

type ErrorClass = new (message: string) => errors.RefCacheError

const classes = Object.entries<unknown>(errors).filter(
  (entry): entry is [string, ErrorClass] =>
    typeof entry[1] === 'function' && entry[1].prototype instanceof errors.RefCacheError,
)

it('covers the classes', () => expect(classes.length).toBeGreaterThan(15))

it.each(classes)('%s says its name, also where a minifier renamed its class', (name, Class) => {
  const expected = name === 'UnreadableValue' ? 'StoreUnavailable' : name
  const error = new Class('what')
  // A minifier leaves the class another name, not its strings.
  Object.defineProperty(Class, 'name', { value: 'a' })
  expect(new Class('what').name).toBe(expected)
  expect(error.name).toBe(expected)
})

it.each<[string, new (message: string) => errors.RefCacheError, string]>([
  ['permission_denied', errors.PermissionDenied, 'Error'],
  ['invalid_argument', errors.InvalidArgument, 'Error'],
  ['task_failed', errors.TaskFailed, 'Error'],
  ['task_cancelled', errors.TaskCancelled, 'Error'],
  ['task_not_ready', errors.TaskNotReady, 'Error'],
  ['value_too_large', errors.ValueTooLarge, 'Error'],
  ['answer_too_large', errors.AnswerTooLarge, 'Error'],
  ['query_limit', errors.QueryLimit, 'Error'],
  ['store_unavailable', errors.StoreUnavailable, 'Error'],
  ['store_full', errors.StoreFull, 'StoreUnavailable'],
  ['store_unavailable', errors.UnknownStoreFormat, 'StoreUnavailable'],
  ['store_unavailable', errors.UnreadableValue, 'StoreUnavailable'],
  ['not_serializable', errors.NotSerializable, 'Error'],
  ['circular_reference', errors.CircularReference, 'Error'],
  ['hard_timeout', errors.HardTimeout, 'Error'],
  ['worker_lost', errors.WorkerLost, 'Error'],
  ['queue_full', errors.QueueFull, 'Error'],
  ['input_unavailable', errors.InputUnavailable, 'Error'],
])('keeps the code %s', (code, Class, base) => {
  const error = new Class('what')
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/what/)
  expect(error instanceof errors.StoreUnavailable).toBe(
    base === 'StoreUnavailable' || Class === errors.StoreUnavailable,
  )
})

describe('a missing reference', () => {
  it('says how to get another one', () => {
    const { code, message } = new errors.NotFound()
    expect(code).toBe('not_found')
    expect(message).toMatch(/unknown or has expired.*Call the tool.*new ref_id/)
  })

  it('of another cache says whose tools to use', () => {
    expect(new errors.NotFound('files').message).toMatch(/belongs to 'files'.*tools of that server/)
  })
})

describe('a failed task', () => {
  it('keeps its cause, its code and what it ended with', () => {
    const cause = new Error('why')
    const failed = new errors.TaskFailed('no', { cause, code: 'hard_timeout', value: { partial: true } })
    expect(failed).toMatchObject({ cause, code: 'hard_timeout', value: { partial: true }, message: 'no' })
    expect(new errors.TaskFailed('no')).toMatchObject({ code: 'task_failed', value: undefined })
  })

  it('of a protocol keeps the error of the protocol', () => {
    const cause = new Error('why')
    const failed = new errors.ProtocolFailure('no', { code: -32602, data: [1] }, { cause })
    expect(failed).toMatchObject({ code: 'protocol_error', rpc: { code: -32602, data: [1] }, cause })
  })
})

it('a question that cannot be asked says so, and whom to tell', () => {
  expect(new errors.InputUnavailable().message).toMatch(
    /question for its user.*cannot be asked.*Tell the user/,
  )
})

describe('what strangers are told of a store that failed', () => {
  const { publicMessageOf } = errors

  it.each<[errors.StoreUnavailable, RegExp]>([
    [new errors.StoreUnavailable('/home/ann/cache.db'), /cannot be used at the moment.*Try again/],
    [new errors.StoreFull('/home/ann/cache.db'), /is full.*Ask for less.*call the tool again/],
    [new errors.UnknownStoreFormat('/home/ann/cache.db'), /another version.*a store of its own/],
    [new errors.UnreadableValue('/home/ann/cache.db'), /cannot be read any more.*Call the tool/],
  ])('is what to do, and not where it is: %s', (error, told) => {
    expect(publicMessageOf(error)).toMatch(told)
    expect(publicMessageOf(error)).not.toMatch(/home/)
    expect(error.message).toMatch(/home/)
  })

  it('its operator also reads why a value cannot be read', () => {
    const cause = new Error('why')
    const error = new errors.UnreadableValue('it is damaged', { cause })
    expect(error).toMatchObject({ cause, message: expect.stringMatching(/Call the tool.*\(it is damaged\)/) })
  })
})
