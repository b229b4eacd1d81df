import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { REPOSITORY } from './source-files.ts'

const run = promisify(execFile)

/** A stranger's project that has the packed package installed, and removes itself. */
export interface Consumer {
  readonly folder: string
  readonly tarball: string
  /** The paths in the tarball, without its `package/`. */
  readonly files: readonly string[]
  dispose(): void
}

/**
 * Packs what `npm run build` made and installs it next to the dependencies of this repository: the tarball is
 * unpacked, not linked, so that a file which is not in it is not there; the rest is linked, so that no network is needed.
 */
export async function installPackage(): Promise<Consumer> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'refcache-consumer-')))
  const tarball = await packPackage(folder)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of packagesIn(join(REPOSITORY, 'node_modules'))) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(modules, name), 'junction')
  }
  const target = join(modules, 'mcp-refcache')
  mkdirSync(target)
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
  )
  const { stdout } = await run('tar', ['-tzf', tarball])
  const files = stdout
    .split('\n')
    .filter(line => line !== '' && !line.endsWith('/'))
    .map(line => line.replace(/^package\//, ''))
  return { folder, tarball, files, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The same package with its dependencies and none of its peers, in a folder of its own. */
export function installWithoutPeers({ folder }: Consumer): Pick<Consumer, 'folder' | 'dispose'> {
  const bare = realpathSync(mkdtempSync(join(tmpdir(), 'refcache-consumer-')))
  const modules = join(bare, 'node_modules')
  mkdirSync(modules, { recursive: true })
  // Its own files are copied: a link would lead back to where the peers are.
  cpSync(join(folder, 'node_modules/mcp-refcache'), join(modules, 'mcp-refcache'), { recursive: true })
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), join(modules, 'zod'), 'junction')
  return { folder: bare, dispose: () => rmSync(bare, { recursive: true, force: true }) }
}

/** Where the package is packed once for each state of its files: npm takes seconds of a core for it, and many tests want the same. */
const PACKED = join(REPOSITORY, 'node_modules/.cache/mcp-refcache-packed')

export async function packPackage(destination: string): Promise<string> {
  const packed = join(PACKED, stateOfFiles())
  if (!existsSync(packed)) await packInto(packed)
  const [name] = readdirSync(packed)
  if (name === undefined) throw new Error('npm pack packed nothing')
  const tarball = join(destination, name)
  copyFileSync(join(packed, name), tarball)
  return tarball
}

/** Without scripts: the build is made before the tests, and not under their feet. */
async function packInto(folder: string): Promise<void> {
  mkdirSync(PACKED, { recursive: true })
  const begun = mkdtempSync(join(PACKED, 'begun-'))
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', begun], { cwd: REPOSITORY })
  try {
    renameSync(begun, folder)
  } catch (error) {
    // Another process has packed the same meanwhile.
    rmSync(begun, { recursive: true })
    if (!existsSync(folder)) throw error
  }
}

/** Changes with every change of a file that may be in the tarball. */
function stateOfFiles(): string {
  const { files } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { files: string[] }
  const roots = [...files.filter(name => !name.startsWith('!')), 'package.json', 'README.md', 'LICENSE']
  const hash = createHash('sha256')
  for (const root of new Set(roots.map(name => name.split('/')[0] as string)))
    for (const path of filesBelow(join(REPOSITORY, root))) {
      const { size, mtimeMs } = statSync(path)
      hash.update(`${path} ${size} ${mtimeMs}\n`)
    }
  return hash.digest('hex')
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter(name => name !== 'node_modules' && !name.startsWith('.'))
    .flatMap(name => filesBelow(join(path, name)))
}

function packagesIn(modules: string): string[] {
  return readdirSync(modules).flatMap(name => {
    if (name.startsWith('.')) return []
    return name.startsWith('@') ? readdirSync(join(modules, name)).map(inner => `${name}/${inner}`) : [name]
  })
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, and gives what it printed whether or not it failed. */
export async function runIn(folder: string, command: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(command, args, { cwd: folder, maxBuffer: 16 * 1024 * 1024 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' }
  }
}

const COMPILER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023'],
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  outDir: 'out',
  rootDir: '.',
}

/** Compiles TypeScript files of a consumer with the strictest settings a user may have; output goes to `out/`. */
export async function compile(
  { folder }: Consumer,
  files: readonly string[],
  options: Record<string, unknown> = {},
): Promise<Outcome> {
  const settings = { compilerOptions: { ...COMPILER_OPTIONS, ...options }, files }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  return runIn(folder, process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-p', folder])
}
