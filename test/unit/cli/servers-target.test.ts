import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { markWrapped, serversTarget } from '../../../src/cli/servers-target.ts'

it.each(['plain', 'with:colon', 'with;semicolon', 'with "quotes", and a comma'])(
  'a file in a folder %s is not wrapped by one of its own servers',
  name => {
    const folder = mkdtempSync(join(tmpdir(), 'wraps-'))
    try {
      const file = join(folder, name, 's.json')
      mkdirSync(join(folder, name))
      writeFileSync(file, JSON.stringify({ mcpServers: { a: { command: 'x' } } }))
      const env: NodeJS.ProcessEnv = {}
      const start = () => serversTarget(file, { store: 'memory' }, { servers: {} } as never, env)
      expect(start().file).toBe(realpathSync(file))
      markWrapped('/another:one.json', env)
      start()
      markWrapped(realpathSync(file), env)
      expect(start).toThrow('being wrapped already')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
