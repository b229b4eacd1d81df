import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { keysFromEnv } from '../../../src/stores/encrypted.ts'

const [A, B] = [randomBytes(32), randomBytes(32)]
const read = (text: string | undefined) => keysFromEnv('KEYS', { KEYS: text })

describe('keys from the environment', () => {
  it('are the current one first, and the previous ones behind it', async () => {
    const keys = read(` 2026-11:${A.toString('base64')} ,\n2026-05:${B.toString('base64url')}\n`)
    expect(await keys()).toEqual({ id: '2026-11', key: Uint8Array.from(A) })
    expect(await keys('2026-11')).toEqual(await keys())
    expect(await keys('2026-05')).toEqual({ id: '2026-05', key: Uint8Array.from(B) })
    expect(await keys('2025-11')).toBeUndefined()
  })

  it('are read once, and not shown', () => {
    const env: Record<string, string> = { KEYS: `a:${A.toString('base64')}` }
    const keys = keysFromEnv('KEYS', env)
    delete env.KEYS
    expect(keys()).toBeDefined()
    expect(inspect(keys, { showHidden: true, depth: 5 })).not.toContain(A.toString('base64'))
  })

  it.each([undefined, '', '  '])('that are not set (%j) are asked for', text => {
    expect(() => read(text)).toThrow(/KEYS is not set\. .*openssl rand -base64 32/)
  })

  const key = A.toString('base64')
  it.each([
    ['no id', key],
    ['an empty id', `:${key}`],
    ['the key in place of the id', `${key}:current`],
    ['two keys and no id', `${key}:${B.toString('base64')}`],
    ['two unpadded keys and no id', `${A.toString('base64url')}:${B.toString('base64url')}`],
    ['an id that is too long', `${'swordfish'.repeat(4)}:${key}`],
    ['no key', 'swordfish:'],
    ['a key in hex', `a:${A.toString('hex')}`],
    ['a key that is too short', `a:${A.subarray(1).toString('base64')}`],
    ['a key that is too long', `a:${Buffer.concat([A, B]).toString('base64')}`],
    ['a word', 'a:swordfish'],
    ['something behind the key', `a:${key}:swordfish`],
    ['a comma too many', `a:${key},`],
    ['a semicolon between keys', `a:${key};b:${key}`],
    ['the same id twice', `swordfish:${key},swordfish:${B.toString('base64')}`],
  ])('with %s are refused, and not repeated', (_, text) => {
    const error = thrownBy(() => read(text))
    expect(error).toBeInstanceOf(InvalidArgument)
    const shown = inspect(error, { depth: 5, showHidden: true })
    for (const secret of [
      A.toString('base64url'),
      key,
      B.toString('base64'),
      A.toString('hex'),
      'swordfish',
    ]) {
      expect(shown).not.toContain(secret.slice(0, 9))
    }
  })

  it('say which of them is malformed', () => {
    expect(() => read(`a:${key},b:${key.slice(1)}`)).toThrow(/Key 2 of KEYS is malformed/)
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}
