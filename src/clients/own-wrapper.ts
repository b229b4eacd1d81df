import type { StdioTransport, Transport } from './configured-server.ts'

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
  const url = optionIn(options, 'url')[0]
  if (url === undefined) return undefined
  return { kind: 'one', transport: { kind: 'http', url, headers: headersIn(options) } }
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

function headersIn(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    optionIn(words, 'header').flatMap(text => {
      const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*)$/.exec(text) ?? []
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    }),
  )
}
