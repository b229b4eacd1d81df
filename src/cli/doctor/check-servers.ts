import type { ConfiguredServer, HttpTransport, StdioTransport } from '../../clients/configured-server.ts'
import { type Finding, mend, note, ok } from './finding.ts'
import { type Probed, probe } from './probe.ts'

/** What every client takes for a name. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/
/** Claude Code cuts longer ones. */
const MAX_DESCRIPTION = 2_048
const SLOW_START_MS = 10_000
const MANY_TOKENS = 10_000

/** Starts each server, alone and behind the wrapper. */
export async function checkServers(
  servers: readonly ConfiguredServer[],
  deadlineMs: number,
): Promise<Finding[]> {
  const findings: Finding[] = []
  // One after the other: together they would tell how long a busy machine takes.
  for (const server of servers) findings.push(...(await checkServer(server, deadlineMs)))
  return findings
}

async function checkServer({ name, transport }: ConfiguredServer, deadlineMs: number): Promise<Finding[]> {
  const what = { about: 'server', subject: name } as const
  if (transport.kind === 'unusable')
    return [mend(what, `cannot be started: ${transport.problem}.`, 'Change its entry.')]
  try {
    const before = await probe(transport, deadlineMs)
    return [await costOf(what, before, transport, deadlineMs), ...checkTools(what, before)]
  } catch (error) {
    const message = withoutValues((error as Error).message, transport)
    return [
      mend(
        what,
        `does not work: ${message}`,
        'Start it by hand as its entry says, and see what it is missing.',
      ),
    ]
  }
}

type What = { readonly about: 'server'; readonly subject: string }

async function costOf(
  what: What,
  { tools, tokens, startedInMs }: Probed,
  transport: StdioTransport | HttpTransport,
  deadlineMs: number,
): Promise<Finding> {
  const wrapped = await probe(wrapperOf(transport), deadlineMs)
  const data = {
    tools: tools.length,
    startedInMs: Math.round(startedInMs),
    tokens,
    tokensWrapped: wrapped.tokens,
  }
  const cost = `${tools.length} tools, ${tokens} tokens in each request; ${wrapped.tokens} behind mcp-refcache. Started in ${(startedInMs / 1000).toFixed(1)} s.`
  if (startedInMs > SLOW_START_MS) {
    return {
      ...note(
        what,
        cost,
        'It starts slowly, and some clients give up: install it rather than have npx or uvx fetch it.',
      ),
      data,
    }
  }
  if (tokens > MANY_TOKENS) {
    return {
      ...note(what, cost, 'Its list of tools is long: let the client show only those that you use.'),
      data,
    }
  }
  return ok(what, cost, data)
}

/** This command in front of the server. Headers go by the environment, as `init` writes them. */
function wrapperOf(transport: StdioTransport | HttpTransport): StdioTransport {
  const start = [process.argv[1] ?? '', 'wrap', '--store', 'memory', '--log-level', 'error']
  if (transport.kind === 'stdio') {
    return {
      ...transport,
      command: process.execPath,
      args: [...start, '--', transport.command, ...transport.args],
    }
  }
  const headers = Object.entries(transport.headers).map(([name, value], at) => ({
    name,
    value,
    variable: `DOCTOR_HEADER_${at}`,
  }))
  return {
    kind: 'stdio',
    command: process.execPath,
    args: [
      ...start,
      '--url',
      transport.url,
      ...headers.flatMap(({ name, variable }) => ['--header-env', `${name}: ${variable}`]),
    ],
    env: Object.fromEntries(headers.map(({ variable, value }) => [variable, value])),
  }
}

function checkTools(what: What, { tools }: Probed): Finding[] {
  const odd = tools.filter(({ name }) => !TOOL_NAME.test(name)).map(({ name }) => name)
  const long = tools
    .filter(({ description = '' }) => description.length > MAX_DESCRIPTION)
    .map(({ name }) => name)
  return [
    ...(odd.length === 0
      ? []
      : [
          note(
            what,
            `Some clients refuse the names of these tools: ${odd.slice(0, 5).join(', ')}.`,
            'Ask its authors for names of at most 64 letters, digits, _ and -.',
          ),
        ]),
    ...(long.length === 0
      ? []
      : [
          note(
            what,
            `Claude Code cuts the descriptions of these tools at 2,048 characters: ${long.slice(0, 5).join(', ')}.`,
            'Nothing to do, unless calls of these tools go wrong.',
          ),
        ]),
  ]
}

/** What a server says when it fails can have its own secrets in it. */
function withoutValues(message: string, transport: StdioTransport | HttpTransport): string {
  const values = Object.values(transport.kind === 'stdio' ? transport.env : transport.headers)
  return values
    .flatMap(value => value.split(' '))
    .filter(value => value.length >= 6)
    .reduce((text, value) => text.replaceAll(value, '•••'), message)
}
