import { describe, expect, it } from 'vitest'
import { asInspectable, errorText } from '../../../src/core/error-text.ts'

const throwing = () => {
  throw new Error('a trap')
}
const trapped = new Proxy({}, { get: throwing, has: throwing, getPrototypeOf: throwing, ownKeys: throwing })
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
})()
const withGetter = (name: string) => Object.defineProperty(new Error('x'), name, { get: throwing })
const circular = (() => {
  const error = new Error('')
  error.cause = error
  return error
})()

describe('what was thrown, in words', () => {
  it.each<[string, unknown, string | RegExp]>([
    ['an error', new Error('upstream returned 503'), 'upstream returned 503'],
    ['a text', 'no such city', 'no such city'],
    ['a message that is a number', Object.assign(new Error('x'), { message: 404 }), '404'],
    ['an object with a message', { message: 'no such city' }, 'no such city'],
    [
      'an object without a message',
      { status: 404, reason: 'gone' },
      "The tool threw { status: 404, reason: 'gone' }.",
    ],
    ['nothing', undefined, 'The tool threw undefined.'],
    ['null', null, 'The tool threw null.'],
    ['a symbol', Symbol('s'), 'The tool threw Symbol(s).'],
    ['a bigint', 10n, 'The tool threw 10n.'],
    ['a function, without its source', () => 'secret', 'The tool threw a function.'],
    ['an object without a prototype', Object.create(null), /^The tool threw .*null prototype/],
    ['an error without a message', new Error(''), 'The tool failed without a message.'],
    ['an error whose message throws', withGetter('message'), 'The tool failed without a message.'],
    ['an error whose name throws', withGetter('name'), 'x'],
    ['an error that is its own cause', circular, 'The tool failed without a message.'],
    ['a proxy that throws', trapped, /^The tool threw /],
    ['a revoked proxy', revoked, /^The tool threw /],
  ])('%s', (_, thrown, text) => {
    if (typeof text === 'string') expect(errorText(thrown)).toBe(text)
    else expect(errorText(thrown)).toMatch(text)
  })

  it('tells the reason of a failed fetch', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
    expect(errorText(new TypeError('fetch failed', { cause: refused }))).toBe(
      'fetch failed: connect ECONNREFUSED 127.0.0.1:1',
    )
    const tried = Object.assign(new AggregateError([refused, new Error('connect EHOSTUNREACH')], ''), {
      code: 'ECONNREFUSED',
    })
    expect(errorText(new TypeError('fetch failed', { cause: tried }))).toBe(
      'fetch failed: connect ECONNREFUSED 127.0.0.1:1',
    )
    const silent = Object.assign(new AggregateError([], ''), { code: 'ETIMEDOUT' })
    expect(errorText(new TypeError('fetch failed', { cause: silent }))).toBe('fetch failed: ETIMEDOUT')
  })

  it('tells the first errors of an AggregateError, and how many more there are', () => {
    const errors = Array.from({ length: 9 }, (_, n) => new Error(`mirror ${n}`))
    expect(errorText(new AggregateError(errors, 'all mirrors failed'))).toBe(
      'all mirrors failed: mirror 0; mirror 1; mirror 2; mirror 3; and 5 more',
    )
  })

  it('shows of an object what stands at its top, not what lies deeper', () => {
    const thrown = { status: 401, request: { headers: { authorization: 'Bearer hunter2' } } }
    expect(errorText(thrown)).toBe('The tool threw { status: 401, request: [Object] }.')
  })

  it('keeps the cause of an error that speaks for itself to itself', () => {
    expect(errorText(new Error('no access', { cause: new Error('password hunter2') }))).toBe('no access')
  })

  it.each<[string, unknown]>([
    ['a long message', new Error('x'.repeat(5_000_000))],
    ['long causes', new AggregateError([new Error('y'.repeat(50_000)), 'z'.repeat(50_000)], '')],
    ['a large object', { rows: Array.from({ length: 100_000 }, (_, n) => ({ n, text: 'x'.repeat(100) })) }],
    ['a deep object', Array.from({ length: 5_000 }).reduce<object>(inner => ({ inner }), {})],
  ])('is short for %s', (_, thrown) => {
    expect(errorText(thrown).length).toBeLessThan(2_100)
  })
})

describe('what can be looked at', () => {
  it('is what was thrown itself', () => {
    const error = new Error('x')
    expect(asInspectable(error)).toBe(error)
    expect(asInspectable(undefined)).toBeUndefined()
  })

  it('is an error around what cannot', () => {
    expect(asInspectable(trapped)).toBeInstanceOf(Error)
    expect(asInspectable(revoked)).toBeInstanceOf(Error)
  })
})

describe('the words of causes', () => {
  it.each<[string, unknown, string]>([
    [
      'a connection that was cut',
      new TypeError('terminated', { cause: new Error('other side closed') }),
      'terminated: other side closed',
    ],
    [
      'a cause without words',
      new TypeError('fetch failed', { cause: {} }),
      'fetch failed: The tool threw {}.',
    ],
    ['no cause', new TypeError('fetch failed'), 'fetch failed'],
    ['an empty list', new AggregateError([], 'all failed'), 'all failed'],
    ['just four', new AggregateError(['a', 'b', 'c', 'd'], 'x'), 'x: a; b; c; d'],
    ['a message of yes', { message: true }, 'true'],
    ['a message of digits', { message: 10n }, '10'],
    ['a code that is no text', new AggregateError([Object.assign(new Error(''), { code: 7 })], 'x'), 'x'],
  ])('%s', (_, thrown, text) => {
    expect(errorText(thrown)).toBe(text)
  })

  it('have a share of the room each', () => {
    const text = errorText(new AggregateError(['a'.repeat(5_000), 'b'.repeat(5_000)], 'x'))
    expect(text).toMatch(/^x: a{500}…\(\+4500 characters\); b{500}…\(\+4500 characters\)$/)
  })

  it('of what cannot be looked at are kept beside it', () => {
    const error = asInspectable(trapped) as Error
    expect(errorText(error)).toMatch(/^The tool threw /)
  })
})
