import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const run = promisify(execFile)
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

it('the example of a server author’s server ends well: its client saw all that it asserts', async () => {
  // Inside of the package, so that the example imports it by its name. Node 20 does not run TypeScript itself.
  const out = mkdtempSync(at('examples/server-author/.run-'))
  onTestFinished(() => rmSync(out, { recursive: true }))
  const sources = ['server.ts', 'client.ts'].map(name => at(`examples/server-author/${name}`))
  const options = [
    '--rootDir',
    at('examples/server-author'),
    '--ignoreConfig',
    '--noCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
  ]
  await run(process.execPath, [
    at('node_modules/typescript/bin/tsc'),
    ...options,
    '--outDir',
    out,
    ...sources,
  ])
  const { stdout } = await run(process.execPath, [`${out}/client.js`])
  expect(stdout).toContain('progress: month')
  expect(stdout).toContain('All was seen')
})
