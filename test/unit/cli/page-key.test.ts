import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { keptKey } from '../../../src/cli/page-key.ts'

function placeOfKey(): string {
  const folder = mkdtempSync(join(tmpdir(), 'page-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'mcp-refcache/ui-key')
}

const hex = (key: Uint8Array) => Buffer.from(key).toString('hex')

it('is made once, for this user alone, and leaves nothing else behind', () => {
  const path = placeOfKey()
  const key = keptKey(path)
  expect(key).toHaveLength(32)
  expect(hex(keptKey(path))).toBe(hex(key))
  expect(readFileSync(path, 'utf8')).toBe(hex(key))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(path, '..'))).toEqual(['ui-key'])
})

it.each([
  ['cut short', 'a1b2', 0o600],
  ['open to others', 'ab'.repeat(32), 0o644],
])('is made anew where the kept one is %s', (_, text, mode) => {
  const path = placeOfKey()
  mkdirSync(join(path, '..'))
  writeFileSync(path, text, { mode })
  const key = keptKey(path)
  expect(hex(key)).not.toBe(text)
  expect(hex(keptKey(path))).toBe(hex(key))
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
