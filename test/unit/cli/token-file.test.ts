import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TokenFile } from '../../../src/cli/token-file.ts'

let folder: string
let path: string
const logged: string[] = []
const say = (code: string, message: string) => void logged.push(`${code} ${message}`)
const log = { info: say, error: say }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokens-'))
  path = join(folder, 'tokens')
  logged.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(text: string, mode = 0o600): void {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

describe('a file of tokens', () => {
  it('names the subject of each token, and nobody for any other', () => {
    write('# the team\nabc.DEF-1_2~+/= alice\n\n  zzz\tbob of example.com \nyyy alice\n')
    const tokens = new TokenFile(path, log)
    expect(
      ['abc.DEF-1_2~+/=', 'zzz', 'yyy', 'zz', 'alice', ''].map(token => tokens.subjectOf(token)),
    ).toEqual(['alice', 'bob of example.com', 'alice', undefined, undefined, undefined])
  })

  it('may come from an editor of another system, and gives no token to two subjects', () => {
    write('\uFEFFone alice\r\n\r\ntwo bob\r\none alice\r\n')
    const tokens = new TokenFile(path, log)
    expect(['one', 'two'].map(token => tokens.subjectOf(token))).toEqual(['alice', 'bob'])
    write('one alice\none bob\n')
    expect(() => new TokenFile(path, log)).toThrow(/two subjects/)
    expect(tokens.subjectOf('one')).toBe('alice')
    expect(logged.join()).not.toMatch(/alice|bob/)
  })

  it('is read again when it changes, also within one tick of the file system and to the same size', () => {
    write('one alice\n')
    const tokens = new TokenFile(path, log)
    for (let round = 0; round < 50; round++) {
      const [there, gone] = round % 2 === 0 ? ['two', 'one'] : ['one', 'two']
      writeFileSync(path, `${there} alice\n`)
      expect([there, gone].map(token => tokens.subjectOf(token ?? ''))).toEqual(['alice', undefined])
    }
    logged.length = 0
    expect(tokens.subjectOf('two')).toBe(undefined)
    expect(logged).toEqual([])
  })

  it('is read again when it changes', () => {
    write('one alice\n')
    const tokens = new TokenFile(path, log)
    write('two alice\nthree bob\n')
    expect(['one', 'two', 'three'].map(token => tokens.subjectOf(token))).toEqual([undefined, 'alice', 'bob'])
    expect(logged).toEqual([expect.stringContaining('tokens_read')])
  })

  it('keeps its tokens when a change cannot be read, and says why', () => {
    write('one alice\n')
    const tokens = new TokenFile(path, log)
    write('one alice\nnonsense\n')
    expect(tokens.subjectOf('one')).toBe('alice')
    expect(logged).toEqual([expect.stringMatching(/tokens_unusable .*line 2.*from before hold on/)])
    write('secret mallory\n', 0o644)
    expect([tokens.subjectOf('one'), tokens.subjectOf('secret')]).toEqual(['alice', undefined])
    expect(logged.at(-1)).toMatch(/mode 644.*chmod 600/)
  })

  it('admits nobody when it is gone', () => {
    write('one alice\n')
    const tokens = new TokenFile(path, log)
    rmSync(path)
    expect(tokens.subjectOf('one')).toBeUndefined()
    expect(logged).toEqual([expect.stringContaining('tokens_gone')])
    write('one alice\n')
    expect(tokens.subjectOf('one')).toBe('alice')
  })

  it.each([
    ['open to others', 'one alice\n', 0o640, /chmod 600/],
    ['empty', '# nobody\n', 0o600, /openssl rand/],
    ['without names', 'hush-hush\n', 0o600, /line 1.*2f6c/],
    ['with what is no token', 'hush"hush alice\n', 0o600, /line 1/],
  ])('that is %s is refused, without a word of its tokens', (_, text, mode, says) => {
    write(text, mode)
    expect(() => new TokenFile(path, log)).toThrow(says)
    expect(() => new TokenFile(path, log)).not.toThrow(/hush/)
  })
})
