import { existsSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the process that answers in SQL comes from. */
export interface ChildPlace {
  readonly node: string
  readonly entry: string
  readonly flags: readonly string[]
}

/** `RefCacheOptions.query`, as far as it says that. */
export interface ChildPlaceOptions {
  readonly node?: string | undefined
  readonly entry?: string | undefined
}

/** From this module's place, in the source too, and from that of the bundled command. */
const ENTRY = '../../dist/query/child.mjs'

/** Where to start the child, or why it cannot be started. */
export function childPlace(options: ChildPlaceOptions = {}): ChildPlace | { readonly reason: string } {
  const entry = options.entry ?? ownEntry()
  if (entry === undefined || !existsSync(entry)) {
    return { reason: `the file that answers in SQL (dist/query/child.mjs) is not there. ${OPTION}` }
  }
  if (options.node !== undefined) return { node: options.node, entry, flags: [] }
  const host = hostThatIsNotNode()
  if (host !== undefined) return { reason: `this program is ${host}, which cannot start Node. ${OPTION}` }
  if (!mayStartProcesses()) return { reason: 'this process may not start others' }
  if (!isBuiltin('node:sqlite') && !hasPackage()) {
    return {
      reason: 'it needs Node 22.13 or newer, or the package @photostructure/sqlite beside mcp-refcache',
    }
  }
  return { node: process.execPath, entry, flags: permissionFlags(entry) }
}

const OPTION = 'Say where it is: query: { node, entry } of the cache'

function ownEntry(): string | undefined {
  try {
    return fileURLToPath(new URL(ENTRY, import.meta.url))
  } catch {
    // In a bundle of another form.
    return undefined
  }
}

/** Only what is certainly Node is started: anything else would start the host program once more. */
function hostThatIsNotNode(): string | undefined {
  const { versions, execPath } = process
  for (const name of ['electron', 'bun', 'deno', 'nw'] as const) if (versions[name] !== undefined) return name
  if ('pkg' in process || isSingleExecutable()) return 'a single executable'
  return /^node(?:js)?[\d.]*(?:\.exe)?$/i.test(basename(execPath)) ? undefined : 'no plain Node'
}

function isSingleExecutable(): boolean {
  const { getBuiltinModule } = process
  const sea = getBuiltinModule?.('node:sea') as { isSea?: () => boolean } | undefined
  return sea?.isSea?.() === true
}

function mayStartProcesses(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } }
  return permission?.has('child') !== false
}

function hasPackage(): boolean {
  try {
    createRequire(import.meta.url).resolve('@photostructure/sqlite')
    return true
  } catch {
    return false
  }
}

/** The child writes no file and reads its own alone. SQLite itself is kept from files by what a statement may be. */
function permissionFlags(entry: string): string[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 22 || (major === 22 && minor < 13)) return []
  return ['--permission', `--allow-fs-read=${dirname(entry)}`, '--allow-worker']
}
