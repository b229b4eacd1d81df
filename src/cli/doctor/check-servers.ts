import type { ConfiguredServer, HttpTransport, StdioTransport } from '../../clients/configured-server.ts'
import { masked } from '../../clients/mask.ts'
import { type Finding, mend, note, ok } from './finding.ts'
import { type Probed, probe } from './probe.ts'

/** What every client takes for a name. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/
/** Claude Code cuts longer ones. */
const MAX_DESCRIPTION = 2_048
const SLOW_START_MS = 10_000
const MANY_TOKENS = 10_000

/** Starts a server alone, and behind the wrapper where that has something to add. */
export async function checkServer(
  { name, transport }: ConfiguredServer,
  deadlineMs: number,
): Promise<Finding[]> {
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

/** Starts all servers of a file behind one wrapper. */
export async function checkTogether(file: string, deadlineMs: number): Promise<Finding> {
  const what = { about: 'server', subject: `all of ${file}` } as const
  try {
    const args = [...WRAP, '--servers', file]
    const { tools, tokens } = await probe(
      { kind: 'stdio', command: process.execPath, args, env: {} },
      deadlineMs,
    )
    const data = { tools: tools.length, tokensWrapped: tokens }
    return ok(
      what,
      `${tools.length} tools, ${tokens} tokens in each request behind one mcp-refcache (init --one).`,
      data,
    )
  } catch (error) {
    return mend(
      what,
      `do not start together: ${(error as Error).message}`,
      'Mend what is said of single servers first.',
    )
  }
}

type What = { readonly about: 'server'; readonly subject: string }

/** This command, which keeps nothing. */
const WRAP = [process.argv[1] ?? '', 'wrap', '--store', 'memory', '--log-level', 'error']

async function costOf(
  what: What,
  probed: Probed,
  transport: StdioTransport | HttpTransport,
  deadlineMs: number,
): Promise<Finding> {
  const { tools, tokens, startedInMs } = probed
  const wrapped = hasOurTools(probed) ? undefined : await probe(wrapperOf(transport), deadlineMs)
  const data = {
    tools: tools.length,
    startedInMs: Math.round(startedInMs),
    tokens,
    ...(wrapped ? { tokensWrapped: wrapped.tokens } : {}),
  }
  const compared = wrapped
    ? `; ${wrapped.tokens} behind mcp-refcache`
    : '. It has references itself: it need not be wrapped'
  const cost = `${tools.length} tools, ${tokens} tokens in each request${compared}. Started in ${(startedInMs / 1000).toFixed(1)} s.`
  const advice = adviceOn(probed)
  return advice === undefined ? ok(what, cost, data) : { ...note(what, cost, advice), data }
}

/** What every server with references lists, whichever adapter it has them from. */
const OUR_TOOLS = ['get_cached_result', 'cancel_task', 'retry_task']

function hasOurTools({ tools }: Probed): boolean {
  return OUR_TOOLS.every(ours => tools.some(({ name }) => name === ours))
}

function adviceOn({ tokens, startedInMs }: Probed): string | undefined {
  if (startedInMs > SLOW_START_MS)
    return 'It starts slowly, and some clients give up: install it rather than have npx or uvx fetch it.'
  if (tokens > MANY_TOKENS) return 'Its list of tools is long: let the client show only those that you use.'
  return undefined
}

/** This command in front of the server. Headers go by the environment, as `init` writes them. */
function wrapperOf(transport: StdioTransport | HttpTransport): StdioTransport {
  if (transport.kind === 'stdio') {
    return {
      ...transport,
      command: process.execPath,
      args: [...WRAP, '--', transport.command, ...transport.args],
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
      ...WRAP,
      '--url-env',
      'DOCTOR_URL',
      ...headers.flatMap(({ name, variable }) => ['--header-env', `${name}: ${variable}`]),
    ],
    env: {
      DOCTOR_URL: transport.url,
      ...Object.fromEntries(headers.map(({ variable, value }) => [variable, value])),
    },
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

/** What a server says when it fails can have its own secrets in it, as they are or as a URL writes them. */
function withoutValues(message: string, transport: StdioTransport | HttpTransport): string {
  return secretsOf(transport)
    .flatMap(value => [value, encodeURIComponent(value)])
    .sort((one, other) => other.length - one.length)
    .reduce((text, value) => text.replaceAll(value, '•••'), message)
}

/** Values of variables and headers, and the words of arguments and URLs that are masked where a configuration is shown. */
function secretsOf(transport: StdioTransport | HttpTransport): string[] {
  const [named, shown] =
    transport.kind === 'stdio'
      ? [Object.values(transport.env), transport.args]
      : [Object.values(transport.headers), [transport.url]]
  const hidden = masked(shown, 'args') as string[]
  const changed = shown.filter((text, at) => text !== hidden[at])
  // Of `NAME=value` and `Name: value`, the value; of URLs and longer texts, words that are long enough to be told from others.
  const values = changed.map(text => text.replace(/^[^=:\s]+[=:]\s*/, ''))
  const kept = hidden.flatMap(wordsOf)
  const words = changed.flatMap(wordsOf).filter(word => word.length >= 6 && !kept.includes(word))
  return (
    [...named, ...named.flatMap(value => value.split(' ')), ...changed, ...values, ...words]
      // Shorter ones stand in any text.
      .filter(value => value.length >= 3)
  )
}

function wordsOf(text: string): string[] {
  return text.split(/[\s=:;,&?#@/"']+/)
}
