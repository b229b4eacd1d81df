import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { script } from '../clients.ts'
import type { Agent } from './agent.ts'

const packageFile = (path: string) => fileURLToPath(import.meta.resolve(path))

/** Source files that do not change with this project: those of a dependency. */
const SOURCES = join(dirname(packageFile('zod/package.json')), 'src', 'v4', 'core')
const FILES = ['doc', 'registries', 'visit', 'parse', 'memoizer', 'errors', 'to-json-schema']

/** The servers, as commands of this Node. Of the browser only the list of tools is asked: it needs none for that. */
export const SERVERS: Readonly<Record<string, readonly string[]>> = {
  filesystem: [packageFile('@modelcontextprotocol/server-filesystem/dist/index.js'), SOURCES],
  everything: [packageFile('@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'],
  memory: [packageFile('@modelcontextprotocol/server-memory/dist/index.js')],
  thinking: [packageFile('@modelcontextprotocol/server-sequential-thinking/dist/index.js')],
  browser: [join(dirname(packageFile('@playwright/mcp/package.json')), 'cli.js'), '--headless'],
  data: [script('./servers/data.js')],
}

/** What the memory server keeps. */
export function memoryFile(): string {
  const people = Array.from({ length: 400 }, (_, at) => ({
    type: 'entity',
    name: `person_${at}`,
    entityType: at % 40 === 0 ? 'team' : 'person',
    observations: [`Works in ${['Lisbon', 'Porto', 'Faro'][at % 3]}`, `Owns the service ${(at * 7) % 90}`],
  }))
  const relations = people.map(({ name }, at) => ({
    type: 'relation',
    from: name,
    to: `person_${(at * 7) % people.length}`,
    relationType: 'knows',
  }))
  return [...people, ...relations].map(line => JSON.stringify(line)).join('\n')
}

export interface Task {
  readonly server: string
  readonly what: string
  readonly run: (agent: Agent) => Promise<void>
}

export const TASKS: readonly Task[] = [
  ...FILES.map(file => wholeFile(`${file}.ts`)),
  whole('filesystem', 'a directory', 'list_directory', { path: SOURCES }),
  whole('filesystem', 'a tree', 'directory_tree', { path: SOURCES }),
  whole('everything', 'echo', 'echo', { message: 'hello' }),
  whole('everything', 'structured content', 'get-structured-content', { location: 'New York' }),
  whole('everything', 'an image', 'get-tiny-image', {}),
  whole('memory', 'a person', 'open_nodes', { names: ['person_77'] }),
  whole('memory', 'all teams', 'search_nodes', { query: 'team' }),
  whole('memory', 'a graph of 400', 'read_graph', {}),
  find('memory', 'a person in a graph of 400', 'service 83"', 'read_graph', {}),
  whole('thinking', 'a thought', 'sequentialthinking', {
    thought: 'Count twice.',
    nextThoughtNeeded: false,
    thoughtNumber: 1,
    totalThoughts: 1,
  }),
  whole('data', '{metadata, items} of 40', 'few_orders', {}),
  whole('data', '{metadata, items} of 900', 'orders', {}),
  whole('data', 'a graph of 60', 'graph', {}),
  find('data', 'an order among 900', 'order-451"', 'orders', {}),
  find('data', 'a line of a log of 5 MB', 'needle', 'log', {}),
  find('data', 'an outlier among 40,000 rows of CSV', '99999', 'csv', {}),
]

function whole(server: string, what: string, tool: string, args: Record<string, unknown>): Task {
  return { server, what, run: agent => agent.readWhole(tool, args) }
}

function wholeFile(name: string): Task {
  const path = join(SOURCES, name)
  const lines = readFileSync(path, 'utf8').split('\n').length
  return whole('filesystem', `a file of ${lines} lines`, 'read_text_file', { path })
}

function find(
  server: string,
  what: string,
  needle: string,
  tool: string,
  args: Record<string, unknown>,
): Task {
  return { server, what: `find ${what}`, run: agent => agent.find(needle, tool, args) }
}
