import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { ConfiguredServer } from '../../clients/configured-server.ts'
import type { Machine } from '../../clients/locations.ts'
import { readServersFile } from '../../clients/read-servers.ts'
import { toMilliseconds } from '../../core/duration.ts'
import { printable } from '../../core/printable.ts'
import { createCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import { checked, text, time } from '../option-values.ts'
import { checkClients } from './check-clients.ts'
import { checkNode } from './check-node.ts'
import { checkServer, checkTogether } from './check-servers.ts'
import { checkStore } from './check-store.ts'
import type { Finding } from './finding.ts'

const EXAMPLES = `
Servers are started only where you name them: by a file, or by a command after the options.

Examples:
  mcp-refcache doctor
  mcp-refcache doctor --servers ~/.cursor/mcp.json
  mcp-refcache doctor -- npx -y @modelcontextprotocol/server-everything
  mcp-refcache doctor --store redis://localhost:6379 --json

Exit codes:
  0    nothing to mend                          1    something to mend
  2    wrong usage`

const DEFAULT_DEADLINE = '30s'

export function doctorCommand() {
  return createCommand(
    'doctor',
    'Look for what keeps mcp-refcache from working well, and say what to do: Node and SQLite, the store, the clients on this',
    'machine and their limits, and whether servers start and what their lists of tools cost. Nothing is changed.',
  )
    .usage('[options] [--] [command args…]')
    .addHelpText('after', EXAMPLES)
    .argument('[command...]', 'starts a server, to be looked at')
    .passThroughOptions()
    .option('--servers <file>', "a client's configuration, whose servers are started", text('--servers'))
    .option(
      '--store <where>',
      'the SQLite file or the redis:// URL of a store (the default files)',
      text('--store'),
    )
    .option(
      '--deadline <time>',
      'how long a server may take to start and to list its tools (30s)',
      time('--deadline'),
    )
    .option(
      '--project <folder>',
      'the project whose configurations are looked for (this folder)',
      text('--project'),
    )
    .option('--json', 'the findings as JSON on stdout')
    .action(async (command, values) => {
      process.exitCode = await doctor(command, values)
    })
}

type Values = ReturnType<ReturnType<typeof doctorCommand>['opts']>

async function doctor(command: readonly string[], values: Values): Promise<number> {
  const servers = serversOf(command, values)
  const deadlineMs = toMilliseconds(values.deadline ?? DEFAULT_DEADLINE, '--deadline')
  const findings: Finding[] = []
  const found = (more: readonly Finding[]) => {
    findings.push(...more)
    if (!values.json) for (const finding of more) process.stdout.write(shown(finding))
  }
  found(await checkNode())
  found(await checkStore(values.store))
  found(checkClients(thisMachine(values.project)))
  // One after the other: together they would tell how long a busy machine takes.
  for (const server of servers) found(await checkServer(server, deadlineMs))
  if (values.servers !== undefined && servers.length > 1)
    found([await checkTogether(values.servers, deadlineMs)])
  const toMend = findings.filter(({ level }) => level === 'mend').length
  if (values.json) process.stdout.write(`${JSON.stringify({ ok: toMend === 0, findings })}\n`)
  else process.stdout.write(summary(findings, servers.length))
  return toMend === 0 ? EXIT.ok : EXIT.failed
}

function thisMachine(project = '.'): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), folder: resolve(project) }
}

function serversOf(
  [command, ...args]: readonly string[],
  { servers: file }: Values,
): readonly ConfiguredServer[] {
  const fromFile = file === undefined ? [] : checked(() => readServersFile(file)).servers
  if (command === undefined) return fromFile
  const transport = { kind: 'stdio', command, args, env: {} } as const
  return [...fromFile, { name: command, place: [], transport, disabled: false }]
}

const SIGNS = { ok: 'ok  ', note: 'note', mend: 'MEND' } as const

function shown({ subject, level, message, advice }: Finding): string {
  const line = `${SIGNS[level]}  ${printable(subject)}: ${printable(message)}\n`
  return advice === undefined ? line : `${line}      → ${printable(advice)}\n`
}

function summary(findings: readonly Finding[], servers: number): string {
  const count = (level: Finding['level']) => findings.filter(finding => finding.level === level).length
  const hint = servers > 0 ? '' : ' No server was started: name a file with --servers, or a command.'
  return `\n${count('mend')} to mend, ${count('note')} to note, ${count('ok')} in order.${hint}\n`
}
