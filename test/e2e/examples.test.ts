import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const run = promisify(execFile)
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Each example is a program that asserts what it sees, and ends well only then. */
it.each([
  ['server-author', 'client', 'progress: month'],
  ['private-computation', 'main', 'mean_salary'],
])('the example %s ends well', async (example, main, seen) => {
  const folder = at(`examples/${example}`)
  // Inside of the package, so that the example imports it by its name. Node 20 does not run TypeScript itself.
  const out = mkdtempSync(`${folder}/.run-`)
  onTestFinished(() => rmSync(out, { recursive: true }))
  const sources = readdirSync(folder).filter(name => name.endsWith('.ts'))
  const options = '--ignoreConfig --noCheck --module nodenext --target es2023 --types node'.split(' ')
  const inputs = ['--rootDir', folder, '--outDir', out, ...sources.map(name => `${folder}/${name}`)]
  await run(process.execPath, [at('node_modules/typescript/bin/tsc'), ...options, ...inputs])
  const { stdout } = await run(process.execPath, [`${out}/${main}.js`])
  expect(stdout).toContain(seen)
  expect(stdout).toContain('All was seen')
})
