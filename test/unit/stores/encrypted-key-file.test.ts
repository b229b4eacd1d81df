import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { keysFromFile } from '../../../src/stores/encrypted.ts'

const POSIX = process.getuid !== undefined
const ROOT = process.getuid?.() === 0
const [A, B] = [randomBytes(32), randomBytes(32)]
const RING = `2026-11:${A.toString('base64')}\n2026-05:${B.toString('base64')}\n`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function keyFile(text: string, mode = 0o600): string {
  const path = join(folder, 'keys')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('keys from a file', () => {
  it.each([
    ['a line each', RING],
    ['with commas', RING.trim().replace('\n', ',')],
    ['with line ends of Windows and blank lines', `\r\n${RING.replace('\n', '\r\n\r\n')}`],
  ])('are the current one first, and the previous ones behind it: %s', async (_, text) => {
    const keys = keysFromFile(keyFile(text))
    expect(await keys()).toEqual({ id: '2026-11', key: Uint8Array.from(A) })
    expect(await keys('2026-05')).toEqual({ id: '2026-05', key: Uint8Array.from(B) })
  })

  it('are read once', async () => {
    const path = keyFile(RING, 0o400)
    const keys = keysFromFile(path)
    rmSync(path)
    expect(await keys()).toBeDefined()
  })

  it.runIf(POSIX).each([0o640, 0o604, 0o620, 0o660, 0o601, 0o644, 0o777])(
    'are refused where others have access: mode %o',
    mode => {
      expect(() => keysFromFile(keyFile(RING, mode))).toThrow(/open to others .*chmod 600/)
    },
  )

  it.runIf(POSIX)('are refused behind a link to a file that others have access to', () => {
    const link = join(folder, 'link')
    symlinkSync(keyFile(RING, 0o644), link)
    expect(() => keysFromFile(link)).toThrow(/open to others/)
  })

  // Only root can give a file away.
  it.runIf(ROOT)('are refused in a file of another user', () => {
    const path = keyFile(RING)
    chownSync(path, 65_534, 65_534)
    expect(() => keysFromFile(path)).toThrow(/another user/)
  })

  it('are refused where there is no file, or something else', () => {
    expect(() => keysFromFile(join(folder, 'missing'))).toThrow(/cannot be read \(ENOENT\)/)
    expect(() => keysFromFile(folder)).toThrow(InvalidArgument)
  })

  it('are refused where there are none, or malformed ones, and are not shown', () => {
    expect(() => keysFromFile(keyFile(' \n'))).toThrow(/is empty.*openssl rand -base64 32/)
    const wrong = keyFile(`${RING}old:swordfish`)
    expect(() => keysFromFile(wrong)).toThrow(/Key 3 of the key file .* is malformed/)
    expect(() => keysFromFile(wrong)).not.toThrow(/swordfish/)
  })
})
