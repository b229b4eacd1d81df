import module from 'node:module'
import { afterEach, expect, it, vi } from 'vitest'
import { keepCompiled } from '../../../src/cli/compile-cache.ts'

const own = Object.getOwnPropertyDescriptor(module, 'enableCompileCache')
const enable = vi.fn()

function onNode22(): void {
  Object.defineProperty(module, 'enableCompileCache', { value: enable, configurable: true })
}

afterEach(() => {
  if (own) Object.defineProperty(module, 'enableCompileCache', own)
  else Reflect.deleteProperty(module, 'enableCompileCache')
  enable.mockReset()
  vi.unstubAllEnvs()
})

it("keeps compiled code in the user's own folder", () => {
  onNode22()
  vi.stubEnv('XDG_CACHE_HOME', '/home/ada/cache')
  keepCompiled()
  expect(enable.mock.calls).toEqual([['/home/ada/cache/mcp-refcache/compiled']])
})

it('keeps nothing where the user has no folder, since others could write to a shared one', () => {
  onNode22()
  vi.stubEnv('XDG_CACHE_HOME', '')
  vi.stubEnv('HOME', '')
  keepCompiled()
  expect(enable).not.toHaveBeenCalled()
})

it('is content with a Node that cannot', () => {
  Object.defineProperty(module, 'enableCompileCache', { value: undefined, configurable: true })
  vi.stubEnv('XDG_CACHE_HOME', '/home/ada/cache')
  expect(keepCompiled()).toBeUndefined()
})
