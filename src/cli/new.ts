import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printable } from '../core/printable.ts'
import { createCommand } from './command.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { text } from './option-values.ts'
import { outputOf } from './show-answer.ts'

const AFTER = `
Its tools: a small, a large and a slow one, and two with private data. Its tests call them as an agent does, with a fake clock.
No package is installed, and no file that is there is changed.

Examples:
  mcp-refcache new my-server
  mcp-refcache new ~/work/tools --name shop
  mcp-refcache new .                        in this folder, which is empty

Exit codes:
  0    made                                     1    the folder is not empty, or cannot be written
  2    wrong usage`

/** Makes a project of `templates/server`. */
export function newCommand() {
  return createCommand(
    'new',
    'Make a new MCP server in TypeScript, as a project to change: tools that show what references do, and their tests.',
  )
    .argument('<folder>', 'a new or empty folder')
    .option('--name <name>', 'what the server and its package are called (as the folder)', text('--name'))
    .option('--json', 'say what was made as JSON on stdout')
    .addHelpText('after', AFTER)
    .action((given, values) => {
      const folder = resolve(given)
      const project = makeProject(folder, values.name ?? nameOf(folder))
      outputOf().answer(values.json ? `${JSON.stringify(project)}\n` : shown(project))
    })
}

interface Project {
  readonly folder: string
  readonly name: string
  readonly files: readonly string[]
  /** What to type now. */
  readonly next: readonly string[]
}

/** What stands for the project's name in the template. */
const PLACEHOLDER = 'my-server'

/** @throws CommandFailed where something is in the folder already, or nothing can be written there */
function makeProject(folder: string, name: string): Project {
  const template = templateFiles()
  checkName(name, template)
  const files = template.map(({ path, content }) => ({
    path,
    content: (path === MANIFEST ? withVersions(content) : content).replaceAll(PLACEHOLDER, name),
  }))
  try {
    checkEmpty(folder)
    for (const { path, content } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      // Fails where the file is there by now.
      writeFileSync(join(folder, path), content, { flag: 'wx' })
    }
  } catch (error) {
    throw toFailure(error, folder)
  }
  return { folder, name, files: files.map(({ path }) => path), next: nextSteps(folder) }
}

/** What npm takes for a package and the cache for its own name. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

function checkName(name: string, template: readonly TemplateFile[]): void {
  if (!NAME.test(name)) {
    throw usage(
      `'${name}' is no name for a package: take up to 64 small letters, digits, '-', '_' and '.', with --name.`,
    )
  }
  const manifest = JSON.parse(template.find(({ path }) => path === MANIFEST)?.content ?? '{}')
  const needed = { ...manifest.dependencies, ...manifest.devDependencies }
  if (Object.hasOwn(needed, name))
    throw usage(`${name} is the name of a package that it needs. Take another, with --name.`)
}

function nameOf(folder: string): string {
  return basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
}

const MANIFEST = 'package.json'

/** Files that would mean something to npm, or to editors, where the template itself lies. */
const RENAMED: Readonly<Record<string, string>> = { _gitignore: '.gitignore', '_package.json': MANIFEST }

interface TemplateFile {
  readonly path: string
  readonly content: string
}

function templateFiles(): TemplateFile[] {
  const template = fileURLToPath(new URL('../../templates/server/', import.meta.url))
  try {
    return readdirSync(template, { recursive: true, encoding: 'utf8' })
      .filter(path => statSync(join(template, path)).isFile())
      .map(path => ({
        path: RENAMED[path] ?? path,
        content: readFileSync(join(template, path), 'utf8'),
      }))
  } catch (error) {
    throw new CommandFailed(
      EXIT.failed,
      'no_template',
      `This copy of mcp-refcache came without its templates (${(error as Error).message}). Install it from npm.`,
    )
  }
}

/** The package that runs, and all that it was tested with, by version. */
function versions(): Record<string, string> {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { name, version, dependencies, devDependencies } = JSON.parse(manifest)
  return { ...dependencies, ...devDependencies, [name]: `^${version}` }
}

const SQLITE_PACKAGE = '@photostructure/sqlite'

/** On a Node without SQLite, the package that has it is one more. */
function withVersions(text: string): string {
  const manifest = JSON.parse(text)
  const needsPackage = !isBuiltin('node:sqlite')
  const project = {
    ...manifest,
    engines: needsPackage ? { node: '>=20' } : manifest.engines,
    dependencies: known([...Object.keys(manifest.dependencies), ...(needsPackage ? [SQLITE_PACKAGE] : [])]),
    devDependencies: known(Object.keys(manifest.devDependencies)),
  }
  return `${JSON.stringify(project, null, 2)}\n`
}

function known(names: readonly string[]): Record<string, string | undefined> {
  const all = versions()
  return Object.fromEntries(names.toSorted().map(name => [name, all[name]]))
}

/** A repository without files is empty, too. */
function checkEmpty(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const [first] = readdirSync(folder).filter(name => name !== '.git')
  if (first === undefined) return
  throw new CommandFailed(
    EXIT.failed,
    'folder_not_empty',
    `${folder} is not empty: it has ${first}. Give another folder; nothing was written.`,
  )
}

function toFailure(error: unknown, folder: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error
  const reason = code === 'EEXIST' ? 'is there already' : `cannot be written: ${code}`
  return new CommandFailed(EXIT.failed, 'not_written', `${path ?? folder} ${reason}.`)
}

function nextSteps(folder: string): string[] {
  const way = relative('', folder)
  // In double quotes a shell would run what a name says.
  const quoted = /^[\w./\\~-]+$/.test(way) ? way : `'${way.replaceAll("'", "'\\''")}'`
  return [...(way === '' ? [] : [`cd ${quoted}`]), 'npm install', 'npm test']
}

function shown({ folder, name, files, next }: Project): string {
  const steps = next.map(step => `  ${printable(step)}\n`).join('')
  return `Made ${name}, ${files.length} files, in ${printable(folder)}\n\nNow:\n${steps}\nIts README.md says how to give it to your client.\n`
}
