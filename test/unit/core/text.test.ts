import { describe, expect, it } from 'vitest'
import { cutText } from '../../../src/core/cut-text.ts'
import { hideSession, hidesSession, sessionDigest } from '../../../src/core/hidden-session.ts'
import { safeLogger } from '../../../src/core/logger.ts'
import { printable } from '../../../src/core/printable.ts'

describe('a text that is cut', () => {
  it.each<[string, number, string]>([
    ['', 3, ''],
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc…(+1 characters)'],
    ['abcdefghijklm', 3, 'abc…(+10 characters)'],
    // Never within a letter of two units.
    ['ab🎉cd', 3, 'ab…(+4 characters)'],
    ['ab🎉cd', 4, 'ab🎉…(+2 characters)'],
    ['a\u{dfff}cd', 2, 'a\u{dfff}…(+2 characters)'],
    ['a\u{d800}cd', 2, 'a…(+3 characters)'],
    ['a\u{dbff}cd', 2, 'a…(+3 characters)'],
    ['a\u{dc00}cd', 2, 'a\u{dc00}…(+2 characters)'],
    ['a\u{d7ff}cd', 2, 'a\u{d7ff}…(+2 characters)'],
  ])('%j to %i', (text, length, cut) => {
    expect(cutText(text, length)).toBe(cut)
  })
})

describe('text of strangers on a terminal', () => {
  it.each<[string, string]>([
    ['plain text, äöü 漢字 🎉', 'plain text, äöü 漢字 🎉'],
    ['two\nlines\r', 'two\\u000alines\\u000d'],
    ['\u001b[2J', '\\u001b[2J'],
    ['\u202eright to left', '\\u202eright to left'],
    ['\u2028\u2029\u0085\u009b', '\\u2028\\u2029\\u0085\\u009b'],
    // A format character of two units.
    ['\u{e0001}', '\\udb40\\udc01'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })
})

describe('a session that is hidden', () => {
  const digest = sessionDigest('s1')

  it('is a digest: the same for one session, another for another', () => {
    expect(digest).toMatch(/^[0-9a-f]{16}$/)
    expect(sessionDigest('s1')).toBe(digest)
    expect(sessionDigest('s2')).not.toBe(digest)
    expect(sessionDigest('\ud800')).not.toBe(sessionDigest('\ud801'))
  })

  it.each<[string, string]>([
    ['session:s1', `session::${digest}`],
    ['user:ann:session:s1', `user:ann:session::${digest}`],
    ['public', 'public'],
    ['user:session', 'user:session'],
    ['mysession:s1', 'mysession:s1'],
    ['session:s1:more', 'session:s1:more'],
    ['session:', 'session:'],
    [`session::${digest}`, `session::${digest}`],
  ])('in %s shows as %s', (namespace, shown) => {
    expect(hideSession(namespace)).toBe(shown)
    expect(hidesSession(shown)).toBe(shown.includes('::'))
  })

  it.each([
    'session::xyz',
    `session:${digest}`,
    `a session::${digest}`,
    `session::${digest}0`,
    `session::${digest}:x`,
  ])('is not %s', namespace => expect(hidesSession(namespace)).toBe(false))
})

describe('a logger of the user', () => {
  const told: string[] = []
  const logger = safeLogger({
    warn: message => told.push(`warn ${message}`),
    error: message => told.push(`error ${message}`),
  })

  it('gets one line of a bounded length, by its own method', () => {
    told.length = 0
    logger.warn('first\nsecond')
    logger.error('x'.repeat(2_000))
    expect(told).toEqual(['warn first\\u000asecond', `error ${'x'.repeat(1_000)}…(+1000 characters)`])
  })

  it('may throw or reject, and keeps its own `this`', async () => {
    class Own {
      lines: string[] = []
      warn(message: string) {
        this.lines.push(message)
        throw new Error('disk full')
      }
      error(message: string) {
        this.lines.push(message)
        return Promise.reject(new Error('disk full'))
      }
    }
    const own = new Own()
    const safe = safeLogger(own)
    safe.warn('a')
    safe.error('b')
    await new Promise(resolve => setImmediate(resolve))
    expect(own.lines).toEqual(['a', 'b'])
  })
})
