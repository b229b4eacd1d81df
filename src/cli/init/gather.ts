import { existsSync, readFileSync } from 'node:fs'
import type { Change } from '../../clients/change.ts'
import { editConfig } from '../../clients/edit-config.ts'
import { sourceAt } from '../../clients/edit-jsonc.ts'
import type { Launcher } from '../../clients/wrap-entry.ts'
import type { Companion, Entry, ServerPlan } from './file-plan.ts'

/** The one entry that stands for all servers; tool names keep within their limits with it. */
const NAME = 'refcache'

/** What only the client can put in the place of a placeholder. */
const OF_CLIENT = /\$\{(input:|command:|config:|workspaceFolder)/

/** Whether a server can leave the client's file: it stands in the main table, and needs nothing that only the client knows. */
export function canMove({ place, before }: ServerPlan): boolean {
  return place[0] !== 'projects' && !OF_CLIENT.test(JSON.stringify(before))
}

/**
 * Moves servers into a file of this program, and puts one entry in their place.
 *
 * @throws Error where the file has another server of that entry's name
 */
export function gather(
  text: string,
  root: Entry,
  moved: readonly ServerPlan[],
  launcher: Launcher,
  file: string,
): { changes: Change[]; companion: Companion; entry?: ServerPlan } {
  const table = moved[0]?.place.slice(0, -1) ?? []
  const place = [...table, NAME]
  const before = at(root, place)
  const args = [...launcher.args, 'wrap', '--servers', file]
  if (before !== undefined && !isOurs(before, file)) {
    throw new Error(`There is a server '${NAME}' already. Give it another name first.`)
  }
  const after = entryLike(moved, { command: launcher.command, args })
  return {
    changes: [
      ...moved.map(({ place: own }) => ({ place: own, isMoved: true })),
      ...(before === undefined ? [{ place, value: after }] : []),
    ],
    companion: companionWith(text, moved, file),
    ...(before === undefined ? { entry: { name: NAME, place, before: {}, after } } : {}),
  }
}

function companionWith(text: string, moved: readonly ServerPlan[], path: string): Companion {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  const empty = path.endsWith('.toml') ? '' : '{\n}\n'
  const additions = moved.map(({ place, before: entry }) => withSource(text, path, { place, value: entry }))
  const newText = editConfig(before ?? empty, path, additions)
  return { path, text: newText, ...(before === undefined ? {} : { before }) }
}

/** In JSON, as it is written in the client's file. */
export function withSource(text: string, path: string, change: Change): Change {
  const source = path.endsWith('.toml') ? undefined : sourceAt(text, change.place)
  return source === undefined ? change : { ...change, source }
}

/** With the keys that a client wants to see in every entry, and the variables that Codex would keep back. */
function entryLike(moved: readonly ServerPlan[], start: { command: string; args: string[] }): Entry {
  const entries = moved.map(({ before }) => before)
  const variables = entries.flatMap(entry => [
    ...(typeof entry.bearer_token_env_var === 'string' ? [entry.bearer_token_env_var] : []),
    ...Object.values((entry.env_http_headers ?? {}) as Entry),
    ...(Array.isArray(entry.env_vars) ? entry.env_vars : []),
  ])
  return {
    ...(entries.some(entry => 'type' in entry) ? { type: 'stdio' } : {}),
    ...(entries.some(entry => 'source' in entry) ? { source: 'custom' } : {}),
    ...start,
    ...(variables.length === 0 ? {} : { env_vars: [...new Set(variables)] }),
  }
}

function isOurs({ args }: Entry, file: string): boolean {
  return Array.isArray(args) && args[args.indexOf('--servers') + 1] === file
}

function at(root: Entry, place: readonly string[]): Entry | undefined {
  return place.reduce<unknown>((value, key) => (value as Entry | undefined)?.[key], root) as Entry | undefined
}
