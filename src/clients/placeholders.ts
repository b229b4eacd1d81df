import type { ClientConfig } from './parse-config.ts'

/** What placeholders in a configuration may stand for. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** The project that the configuration belongs to. */
  readonly folder: string
  readonly separator: string
}

/** `${NAME}`, `${NAME:-else}`, `${env:NAME}`, `${input:id}`; OpenCode leaves the dollar out. */
const PLACEHOLDER = /\$\{([^{}]*)\}|\{env:([^{}]*)\}/g

/** A placeholder that nothing can be put in the place of. The message never has a value in it. */
export class Unfilled extends Error {
  override readonly name = 'Unfilled'
}

/** The text with what its placeholders stand for, as the clients fill them. @throws Unfilled */
export function fill(text: string, around: Surroundings, inputs: ClientConfig['inputs'] = []): string {
  return text.replace(PLACEHOLDER, (_, name: string | undefined, bare: string | undefined) =>
    standsFor(name ?? `env:${bare}`, around, inputs),
  )
}

function standsFor(name: string, around: Surroundings, inputs: ClientConfig['inputs']): string {
  switch (name) {
    case 'userHome':
      return around.home
    case 'workspaceFolder':
    case 'workspaceRoot':
      return around.folder
    case 'workspaceFolderBasename':
      return around.folder.split(/[\\/]/).at(-1) ?? ''
    case 'pathSeparator':
    case '/':
      return around.separator
  }
  const [, kind, id = ''] = /^(input|command|config|file|secret):(.*)$/s.exec(name) ?? []
  if (kind !== undefined) throw new Unfilled(cannotFill(kind, id, inputs))
  const [, variable = '', otherwise] = /^(?:env:)?(.*?)(?::-(.*))?$/s.exec(name) ?? []
  const value = around.env[variable] || (otherwise ?? around.env[variable])
  if (value === undefined) {
    throw new Unfilled(`\${${name}} is not set: set ${variable} in the environment of mcp-refcache`)
  }
  return value
}

function cannotFill(kind: string, id: string, inputs: ClientConfig['inputs']): string {
  const words = inputs.find(input => input.id === id)?.description
  const asked = words === undefined ? '' : ` (${words.slice(0, 100)})`
  const what =
    kind === 'input'
      ? 'is what the client asks its user for, which cannot be done here'
      : 'is known to the client alone'
  return `\${${kind}:${id}}${asked} ${what}: write \${env:NAME} in its place, and set NAME in the environment of mcp-refcache`
}
