import { parse as parseToml } from '@decimalturn/toml-patch'
import { getNodeValue, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { InvalidArgument } from '../core/errors.ts'
import type { ConfiguredServer } from './configured-server.ts'
import { readEntry } from './read-entry.ts'

export interface ClientConfig {
  readonly language: 'jsonc' | 'toml'
  readonly servers: readonly ConfiguredServer[]
  /** What VS Code asks its user for: `${input:id}` stands for it. */
  readonly inputs: readonly { readonly id: string; readonly description?: string }[]
}

/**
 * Where clients keep their servers: the keys that lead to them, in the order in which they are looked for. Keys that other programs
 * use too count where an entry beneath them starts something.
 */
const PLACES: readonly { readonly place: readonly string[]; readonly isOurs: boolean }[] = [
  { place: ['mcpServers'], isOurs: true },
  { place: ['servers'], isOurs: false },
  { place: ['context_servers'], isOurs: true },
  { place: ['mcp_servers'], isOurs: true },
  { place: ['mcp', 'servers'], isOurs: false },
  { place: ['mcp'], isOurs: false },
  { place: ['amp.mcpServers'], isOurs: true },
]

/** The file is a good one, and has no servers. */
export class NoServers extends InvalidArgument {}

type Table = Readonly<Record<string, unknown>>

/**
 * The servers in a client's configuration: Claude Desktop and Code, Cursor, Windsurf, Gemini CLI (`mcpServers`), VS Code (`servers`),
 * Zed (`context_servers`), Codex (`mcp_servers`, TOML), OpenCode (`mcp`). Pure.
 *
 * @param path of the file, for messages and to tell its language
 * @param folder the project that the client works in: Claude Code has servers of one project in the file of its user
 * @throws InvalidArgument that says where the file is wrong, and nothing of what is in it
 */
export function parseClientConfig(text: string, path: string, folder?: string): ClientConfig {
  const language = /\.toml$/i.test(path) ? 'toml' : 'jsonc'
  const root = parseRoot(text, path)
  const tables = tablesIn(root, folder)
  if (tables.length === 0) {
    throw new NoServers(
      `${path} names no servers: there is none of ${PLACES.map(({ place }) => place.join('.')).join(', ')}.`,
    )
  }
  const servers = new Map<string, ConfiguredServer>()
  for (const { place, table } of tables) {
    for (const [name, entry] of Object.entries(table).filter(isNoRemark))
      servers.set(name, readEntry(name, [...place, name], entry))
  }
  return { language, servers: [...servers.values()], inputs: inputsIn(root) }
}

/** Those of the project come last: they stand in for others of their name. */
function tablesIn(root: Table, folder: string | undefined): { place: readonly string[]; table: Table }[] {
  const found = PLACES.map(({ place, isOurs }) => ({ place, isOurs, table: at(root, place) })).find(
    ({ table, isOurs }) => isTable(table) && (isOurs || isEmpty(table) || hasEntry(table)),
  )
  const ofProject = folder === undefined ? [] : ['projects', folder, 'mcpServers']
  const bare = found ? undefined : { place: [], table: isBare(root) ? root : undefined }
  return [
    found,
    { place: ofProject, table: ofProject.length > 0 ? at(root, ofProject) : undefined },
    bare,
  ].flatMap(one => (one && isTable(one.table) ? [{ place: one.place, table: one.table }] : []))
}

function at(root: Table, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), root)
}

function isEmpty(table: Table): boolean {
  return Object.keys(table).length === 0
}

function hasEntry(table: Table): boolean {
  return Object.values(table).some(looksLikeEntry)
}

/** A whole file of servers has nothing else: the settings of a program can hold what looks like an entry. */
function isBare(root: Table): boolean {
  const entries = Object.entries(root).filter(isNoRemark)
  return (
    hasEntry(root) &&
    entries.every(([, entry]) => looksLikeEntry(entry) || (isTable(entry) && isEmpty(entry)))
  )
}

/** JSON has no comments, so people write `"_comment": "…"`. */
function isNoRemark([key, value]: [string, unknown]): boolean {
  return !(typeof value !== 'object' && /^(?:[_$#]|\/\/)/.test(key))
}

function looksLikeEntry(entry: unknown): boolean {
  if (!isTable(entry)) return false
  return ['command', 'url', 'httpUrl', 'serverUrl', 'type', 'settings', 'source'].some(key => key in entry)
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inputsIn(root: Table): ClientConfig['inputs'] {
  const inputs = root.inputs ?? at(root, ['mcp', 'inputs'])
  if (!Array.isArray(inputs)) return []
  return inputs.flatMap(input => {
    if (!isTable(input) || typeof input.id !== 'string') return []
    return [
      { id: input.id, ...(typeof input.description === 'string' ? { description: input.description } : {}) },
    ]
  })
}

/** All that the file says. @throws InvalidArgument that says where it is wrong, and nothing of what is in it */
export function parseRoot(text: string, path: string): Table {
  return /\.toml$/i.test(path) ? tomlRoot(text, path) : jsoncRoot(text, path)
}

function jsoncRoot(text: string, path: string): Table {
  const errors: ParseError[] = []
  const plain = text.replace(/^\uFEFF/, '')
  const tree = parseTree(plain, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error) throw unreadable(path, 'JSON', lineAt(plain, error.offset), printParseErrorCode(error.error))
  // From the tree: a key named __proto__ stays one.
  const root: unknown = tree && getNodeValue(tree)
  if (!isTable(root)) throw new InvalidArgument(`${path} is no configuration: it is not a JSON object.`)
  return root
}

function tomlRoot(text: string, path: string): Table {
  try {
    return parseToml(text.replace(/^\uFEFF/, '')) as Table
  } catch (error) {
    const { line } = error as { line?: number }
    throw unreadable(path, 'TOML', line, undefined)
  }
}

/** What stands there may be a secret. */
function unreadable(
  path: string,
  language: string,
  line: number | undefined,
  why: string | undefined,
): InvalidArgument {
  const where = line === undefined ? '' : ` Look at line ${line}${why === undefined ? '' : ` (${why})`}.`
  return new InvalidArgument(`${path} is not valid ${language}.${where}`)
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
