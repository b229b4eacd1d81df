import { readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Consumer, compile, installPackage, runIn } from './installed.ts'
import { REPOSITORY } from './source-files.ts'

/** The published types, all of them, as the strictest user has them. The snippets of the docs compile against them for every change. */

const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
}

let consumer: Consumer
beforeAll(async () => {
  consumer = await installPackage()
})
afterAll(() => consumer?.dispose())

it('the tarball has types that resolve, as attw sees it', async () => {
  const { code, stdout, stderr } = await runIn(consumer.folder, process.execPath, [
    join(REPOSITORY, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
    consumer.tarball,
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--no-color',
  ])
  expect(code, stdout + stderr).toBe(0)
})

it('the exports have types that a strict consumer compiles against, library check included', async () => {
  // fastmcp stands on the SDK v1, whose types need those of the DOM, as those of the AI SDK do. The snippets of docs/fastmcp.md and
  // docs/agent-programs.md compile against them, and against those of LangChain, which are not right in themselves.
  const left = ['./package.json', './fastmcp', './ai', './langchain']
  const paths = Object.keys(manifest.exports).filter(path => !left.includes(path))
  const checked = paths.map(path => posix.join('mcp-refcache', path))
  const lines = checked.map((specifier, i) => `import * as entry${i} from '${specifier}'`)
  lines.push(`console.log(${checked.map((_, i) => `entry${i}`)})`)
  writeFileSync(join(consumer.folder, 'consumer.ts'), lines.join('\n'))
  const { code, stdout } = await compile(consumer, ['consumer.ts'])
  expect(code, stdout).toBe(0)
})
