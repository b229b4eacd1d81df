// Writes docs/reference from the declarations in dist/: `npm run docs:reference`. With --check it only says what is not up to date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layOut } from './layout.mjs'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
const FOLDER = join(REPOSITORY, 'docs/reference')

/** @type {{ exports: Record<string, string | { types: string }> }} */
const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'))
const entryPoints = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [[path.replace('.', 'mcp-refcache'), join(REPOSITORY, target.types)]],
)
const files = layOut(Object.fromEntries(entryPoints), join(REPOSITORY, 'dist'))

const there = existsSync(FOLDER) ? readdirSync(FOLDER) : []
const stale = [...files].filter(
  ([name, text]) => !there.includes(name) || readFileSync(join(FOLDER, name), 'utf8') !== text,
)
const extra = there.filter(name => !files.has(name))

if (!process.argv.includes('--check')) {
  mkdirSync(FOLDER, { recursive: true })
  for (const name of extra) rmSync(join(FOLDER, name))
  for (const [name, text] of stale) writeFileSync(join(FOLDER, name), text)
} else if (stale.length + extra.length > 0) {
  const names = [...stale.map(([name]) => name), ...extra].join(', ')
  console.error(`docs/reference is not what the docstrings say (${names}): npm run docs:reference`)
  process.exitCode = 1
}
