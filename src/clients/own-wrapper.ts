import type { HttpTransport, StdioTransport, Transport } from './configured-server.ts'

/** What an entry stands for that starts this program: the server behind it, or a file of servers. */
export type OwnWrapper =
  | { readonly kind: 'servers' }
  | { readonly kind: 'one'; readonly transport: Transport }

/**
 * Whether a command starts `mcp-refcache wrap`, and what that wraps. Undefined where it does not; where what it wraps does not show,
 * it stays a wrapper behind this one.
 */
export function ownWrapperIn({ command, args, ...rest }: StdioTransport): OwnWrapper | undefined {
  const words = [command, ...args]
  const at = words.findIndex((word, index) => isOurs(word) && words[index + 1] === 'wrap')
  if (at < 0) return undefined
  const own = words.slice(at + 2)
  const end = own.indexOf('--')
  const options = end < 0 ? own : own.slice(0, end)
  if (options.some(word => /^--servers(?:=|$)/.test(word))) return { kind: 'servers' }
  const [program, ...programArgs] = end < 0 ? [] : own.slice(end + 1)
  if (program !== undefined)
    return { kind: 'one', transport: { ...rest, command: program, args: programArgs } }
  const variable = optionIn(options, 'url-env')[0]
  const url = optionIn(options, 'url')[0] ?? (variable === undefined ? undefined : rest.env[variable])
  if (url === undefined) {
    // A variable of the client: this wrapper alone knows the server.
    return variable === undefined ? undefined : { kind: 'one', transport: { command, args, ...rest } }
  }
  return {
    kind: 'one',
    transport: { kind: 'http', url, ...headersIn(options, rest.env) },
  }
}

/** By its name, or by its file in this repository or wherever it was installed. */
function isOurs(word: string): boolean {
  return (
    /(?:^|[\\/])mcp-refcache(?:@[^\\/]+)?(?:\.cmd|\.exe)?$/.test(word) ||
    /[\\/](?:dist|src)[\\/]cli[\\/]main\.[jt]s$/.test(word)
  )
}

function optionIn(words: readonly string[], name: string): string[] {
  return words.flatMap((word, index) => {
    if (word === `--${name}`) return words[index + 1] ?? []
    return word.startsWith(`--${name}=`) ? word.slice(name.length + 3) : []
  })
}

/** With `--header`, and with `--header-env` from the entry's own variables or those of the client. */
function headersIn(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Pick<HttpTransport, 'headers' | 'headersFromEnv'> {
  const given = optionIn(words, 'header').flatMap(text => {
    const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*)$/.exec(text) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  const named = optionIn(words, 'header-env').flatMap(text => {
    const [, name, prefix = '', variable] = /^\s*([^:\s]+)\s*:\s*(\S+\s+)?(\w+)\s*$/.exec(text) ?? []
    return name === undefined || variable === undefined ? [] : [{ name, prefix, variable }]
  })
  const own = named.filter(({ variable }) => env[variable] !== undefined)
  const clients = named.filter(({ variable }) => env[variable] === undefined)
  return {
    headers: Object.fromEntries([
      ...given,
      ...own.map(({ name, prefix, variable }) => [name, `${prefix}${env[variable]}`] as const),
    ]),
    ...(clients.length === 0 ? {} : { headersFromEnv: byName(clients) }),
  }
}

function byName(headers: readonly { name: string; prefix: string; variable: string }[]) {
  return Object.fromEntries(
    headers.map(({ name, prefix, variable }) => [name, { prefix, variable }] as const),
  )
}
