import { accessSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { operatorCache } from '../../../src/cli/operator.ts'
import { existingStore } from '../../../src/cli/store-option.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'

// Tests run as root, who may write to all files.
vi.mock('node:fs', async original => {
  const fs = await original<typeof import('node:fs')>()
  return { ...fs, accessSync: vi.fn(fs.accessSync) }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

it('values of a store are read by whoever may only read it', async () => {
  const path = join(folder, 'cache.db')
  const cache = new RefCache({ name: 'files', store: sqliteStore(path) })
  const { refId } = await cache.set('rows', [{ level: 'error' }])
  vi.mocked(accessSync).mockImplementation(() => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', syscall: 'access' })
  })

  const looked = operatorCache('files', existingStore({ store: path }))
  expect(await looked.get(refId)).toMatchObject({ value: [{ level: 'error' }] })
  await expect(looked.delete(refId)).rejects.toThrow(/reading only: .* may not write/)
  vi.mocked(accessSync).mockReset()
  await Promise.all([looked.close(), cache.close()])
})
