import type { ConfiguredServer, HttpTransport, StdioTransport, Transport } from './configured-server.ts'

type Entry = Readonly<Record<string, unknown>>

/** One entry of a client's table of servers. Each client has words of its own for the same few things. */
export function readEntry(name: string, place: readonly string[], raw: unknown): ConfiguredServer {
  const entry = tableOf(raw)
  const onlyTools = strings(entry.enabled_tools ?? entry.includeTools ?? entry.tools)
  const withoutTools = strings(entry.disabled_tools ?? entry.excludeTools ?? entry.disabledTools)
  return {
    name,
    place,
    transport: transportOf(raw),
    disabled: entry.disabled === true || entry.enabled === false,
    ...(onlyTools && !onlyTools.includes('*') ? { onlyTools } : {}),
    ...(withoutTools ? { withoutTools } : {}),
  }
}

function transportOf(raw: unknown): Transport {
  const entry = tableOf(raw)
  if (entry !== raw) return { kind: 'unusable', problem: 'the entry is not an object' }
  const url = entry.httpUrl ?? entry.serverUrl ?? entry.url
  if (typeof url === 'string') return httpTransport(entry, url)
  return stdioTransport(entry)
}

/** Zed wrote the command as an object once, and OpenCode writes it as a list. */
function stdioTransport(entry: Entry): Transport {
  const { command } = entry
  const nested = tableOf(command)
  const words = Array.isArray(command) ? strings(command) : [command]
  const [program, ...first] = isText(nested.path) ? [nested.path] : (words ?? [])
  if (!isText(program) || program === '')
    return { kind: 'unusable', problem: 'the entry has neither a command nor a url' }
  const args = strings(nested.args ?? entry.args) ?? []
  return {
    kind: 'stdio',
    command: program,
    args: [...first.filter(isText), ...args],
    env: textsIn(nested.env ?? entry.env ?? entry.environment),
    ...(isText(entry.envFile) ? { envFile: entry.envFile } : {}),
    ...(isText(entry.cwd) ? { cwd: entry.cwd } : {}),
  } satisfies StdioTransport
}

function httpTransport(entry: Entry, url: string): Transport {
  // Gemini CLI has `url` for the old transport, and says nothing of a type.
  if (/^sse$/i.test(String(entry.type ?? entry.transport ?? ''))) {
    const problem =
      'it speaks the old HTTP+SSE transport; put a bridge in its place, such as the command npx -y mcp-remote URL --transport sse-only'
    return { kind: 'unusable', problem }
  }
  const fromEnv = Object.entries(textsIn(entry.env_http_headers)).map(
    ([header, variable]): [string, { variable: string; prefix: string }] => [
      header,
      { variable, prefix: '' },
    ],
  )
  const bearer = entry.bearer_token_env_var
  if (isText(bearer)) fromEnv.push(['Authorization', { variable: bearer, prefix: 'Bearer ' }])
  return {
    kind: 'http',
    url,
    headers: textsIn(entry.http_headers ?? entry.headers),
    ...(fromEnv.length > 0 ? { headersFromEnv: Object.fromEntries(fromEnv) } : {}),
  } satisfies HttpTransport
}

function tableOf(value: unknown): Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Entry) : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Numbers and booleans are meant as texts: that is all that an argument or a variable can be. */
function asText(value: unknown): string[] {
  return isText(value)
    ? [value]
    : typeof value === 'number' || typeof value === 'boolean'
      ? [String(value)]
      : []
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.flatMap(asText) : undefined
}

function textsIn(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tableOf(value)).flatMap(([key, one]) => asText(one).map(text => [key, text] as const)),
  )
}
