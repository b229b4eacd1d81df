import { expect, it } from 'vitest'
import { brokenPackage, isMissing } from '../../../src/core/missing-package.ts'

const failure = (message: string, code?: string) => Object.assign(new Error(message), { code })

it.each([
  ['Node', failure("Cannot find package '@redis/client' imported from /app/x.js", 'ERR_MODULE_NOT_FOUND')],
  ['require', failure("Cannot find module '@redis/client'\nRequire stack:\n- /app/x.js", 'MODULE_NOT_FOUND')],
  ['Jest', failure("Cannot find module '@redis/client' from 'node_modules/mcp-refcache/dist/x.js'")],
  ['Bun', failure("Cannot find package '@redis/client' from '/app/x.js'", 'ERR_MODULE_NOT_FOUND')],
  ['Deno', failure('Import "@redis/client" not a dependency and not in import map')],
  [
    'Yarn',
    failure(
      "mcp-refcache tried to access @redis/client (a peer dependency) but it isn't provided by your application",
      'MISSING_PEER_DEPENDENCY',
    ),
  ],
])('a driver that is not there is missing, as %s says it', (_, error) => {
  expect(isMissing('@redis/client', error)).toBe(true)
})

it.each([
  [
    'a file of its own',
    failure("Cannot find module '/app/node_modules/@redis/client/dist/index.js'", 'MODULE_NOT_FOUND'),
  ],
  [
    'what it needs',
    failure(
      "Cannot find package 'cluster-key-slot' imported from /app/node_modules/@redis/client/x.js",
      'ERR_MODULE_NOT_FOUND',
    ),
  ],
  ['its binary', failure('libstdc++.so.6: version GLIBCXX_3.4.32 not found', 'ERR_DLOPEN_FAILED')],
])('a driver that misses %s is not missing: it says why', (_, error) => {
  expect(isMissing('@redis/client', error)).toBe(false)
  expect(brokenPackage('@redis/client', error)).toContain(error.message)
})
