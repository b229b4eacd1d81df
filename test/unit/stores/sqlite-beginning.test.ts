import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { prepare } from '../../../src/stores/sqlite-place.ts'

/** What happens right after a file was looked for, and not found. */
const afterMiss = vi.hoisted(() => new Map<string, () => void>())

vi.mock('node:fs', async importOriginal => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const missed = <T>(path: unknown, answer: T): T => {
    const happens = answer ? undefined : afterMiss.get(String(path))
    afterMiss.delete(String(path))
    happens?.()
    return answer
  }
  return {
    ...fs,
    existsSync: (path: string) => missed(path, fs.existsSync(path)),
    statSync: (path: string, options: object) => missed(path, fs.statSync(path, options)),
  }
})

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'mcp-refcache-beginning-')), 'cache.db')
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

it('what another process begins to write at the same moment stays', () => {
  afterMiss.set(path, () => {
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(path + suffix, 'theirs')
  })
  prepare(path, () => {})
  for (const suffix of ['', '-wal', '-shm']) expect(readFileSync(path + suffix, 'utf8')).toBe('theirs')
})

it('what is left over of a file that is gone goes', () => {
  for (const suffix of ['-wal', '-shm']) writeFileSync(path + suffix, 'old')
  prepare(path, () => {})
  expect(['', '-wal', '-shm'].map(suffix => existsSync(path + suffix))).toEqual([true, false, false])
})
