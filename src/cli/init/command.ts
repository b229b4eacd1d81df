import { homedir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  applicationData,
  CLIENTS,
  type ClientName,
  clientLocations,
  type Location,
  type Machine,
} from '../../clients/locations.ts'
import { printable, printableJson } from '../../core/printable.ts'
import { suggest } from '../../core/suggest.ts'
import { createCommand } from '../command.ts'
import { EXIT, usage } from '../exit.ts'
import { text, texts, wrongChoice } from '../option-values.ts'
import { Backups, type Undone } from './backups.ts'
import { exampleFor } from './example.ts'
import type { FilePlan, FileProblem } from './file-plan.ts'
import { launcherFor } from './launcher.ts'
import { type Choice, planFile } from './plan.ts'
import { planAsData, shownPlan } from './show.ts'

const NAMES = Object.keys(CLIENTS) as ClientName[]

const EXAMPLES = `
Finds the configurations of ${Object.values(CLIENTS).join(', ')}: of the user, and of the project in
this folder. Comments, order and all other keys of a file stay as they are.

Examples:
  mcp-refcache init                         shows what would change, and asks
  mcp-refcache init --client cursor --yes   Cursor alone, without a question
  mcp-refcache init --print codex           shows it, and writes nothing
  mcp-refcache init --only github --only db these servers alone
  mcp-refcache init --one                   all servers of a client behind one wrapper
  mcp-refcache init --undo                  takes the last run back

Exit codes:
  0    done, or nothing to do                   1    a file cannot be read, changed or put back
  2    wrong usage, or nobody there to say yes`

export function initCommand() {
  return createCommand(
    'init',
    'Put the MCP servers of your clients behind mcp-refcache, each under its own name: finds the configurations on this',
    'machine, shows the difference with secrets masked, and on yes rewrites them in place. A copy of each file is kept.',
  )
    .addHelpText('after', EXAMPLES)
    .option('--client <name>', `one client: ${NAMES.join(', ')}; may be repeated (all)`, clients('--client'))
    .option('--only <server>', 'change this server alone; may be repeated', texts('--only'))
    .option('--except <server>', 'leave this server as it is; may be repeated', texts('--except'))
    .option(
      '--one',
      'put all servers of a client behind one wrapper, as one server named refcache; in the files of the user',
    )
    .option('--print <client>', 'show what would be written for a client, and write nothing', name =>
      client('--print', name),
    )
    .option(
      '--project <folder>',
      'the project whose configurations are looked for (this folder)',
      text('--project'),
    )
    .option('--yes', 'write without asking')
    .option('--undo', 'put back what the last run changed; what was changed since stays, and is named')
    .option('--json', 'say it as JSON on stdout')
    .action(async values => {
      process.exitCode = await init(values)
    })
}

type Values = ReturnType<ReturnType<typeof initCommand>['opts']>

function client(option: string, name: string): ClientName {
  return NAMES.find(known => known === name) ?? wrongChoice(option, name, NAMES)
}

function clients(option: string): (name: string, before: ClientName[] | undefined) => ClientName[] {
  return (name, before = []) => [...before, client(option, name)]
}

async function init(values: Values): Promise<number> {
  const machine = thisMachine(values.project)
  const backups = new Backups(join(applicationData(machine), 'mcp-refcache', 'init'))
  if (values.undo) return undo(backups, values.json ?? false)
  const plans = findPlans(machine, values)
  checkNames(values, plans)
  if (!values.json) say(shownPlans(plans, machine, values))
  const wanted = plans.filter((plan): plan is FilePlan => 'newText' in plan && plan.newText !== plan.text)
  const isAgreed = wanted.length > 0 && values.print === undefined && (await agreed(values, wanted.length))
  const failed = isAgreed ? write(wanted, backups) : []
  if (values.json) say(printableJson({ files: plans.map(planAsData), written: isAgreed, failed }))
  return failed.length > 0 || plans.some(plan => 'problem' in plan) ? EXIT.failed : EXIT.ok
}

function shownPlans(
  plans: readonly (FilePlan | FileProblem)[],
  machine: Machine,
  { print, one }: Values,
): string {
  if (plans.length > 0) return `${plans.map(shownPlan).join('\n')}${one ? '' : hintOfOne(plans)}`
  const location = clientLocations(machine).find(({ client }) => client === print)
  if (location) return exampleFor(location, launcherFor(location, process.argv[1] ?? '', machine.platform))
  return `No client with MCP servers was found. Looked for ${Object.values(CLIENTS).join(', ')}.`
}

function thisMachine(project = '.'): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), folder: resolve(project) }
}

function findPlans(machine: Machine, values: Values): (FilePlan | FileProblem)[] {
  const chosen = values.print === undefined ? values.client : [values.print]
  const choice: Choice = {
    only: values.only ?? [],
    except: values.except ?? [],
    folder: machine.folder,
    isShownOnly: values.print !== undefined,
    launcherFor: location => launcherFor(location, process.argv[1] ?? '', machine.platform),
    ...(values.one ? { serversFileFor: (location: Location) => serversFile(location, machine) } : {}),
  }
  const plans = clientLocations(machine)
    .filter(location => chosen === undefined || chosen.includes(location.client))
    .flatMap(location => planFile(location, choice) ?? [])
  // Two clients can share one file by a link.
  const paths = plans.map(plan => ('path' in plan ? plan.path : plan.location.path))
  return plans.filter((_, at) => paths.indexOf(paths[at] as string) === at)
}

/** Each wrapper has our tools once more in the client's list. */
function hintOfOne(plans: readonly (FilePlan | FileProblem)[]): string {
  const most = Math.max(
    ...plans.map(plan =>
      'servers' in plan && plan.location.scope === 'user'
        ? plan.servers.filter(({ after }) => after).length
        : 0,
    ),
  )
  if (most < 2) return ''
  return `\nWith --one, the ${most} servers of a client cost about ${(most - 1) * 800} tokens less in each request: one wrapper, and tools named server_tool.\n`
}

/** A project's servers stay in its file, which others share. */
function serversFile({ client, scope, path }: Location, machine: Machine): string | undefined {
  if (scope === 'project') return undefined
  const name = /Insiders/.test(path) ? `${client}-insiders` : client
  return join(applicationData(machine), 'mcp-refcache', 'servers', `${name}${extname(path)}`)
}

/** A server that is named and not there is a mistake, not an empty plan. */
function checkNames({ only = [] }: Values, plans: readonly (FilePlan | FileProblem)[]): void {
  const there = plans.flatMap(plan => ('names' in plan ? plan.names : []))
  const missing = only.find(name => !there.includes(name))
  if (missing === undefined) return
  const meant = suggest(missing, there)
  throw usage(`No client has a server '${missing}'.${meant ? ` Did you mean ${meant}?` : ''}`)
}

async function agreed({ yes, json }: Values, files: number): Promise<boolean> {
  if (yes) return true
  if (json) return false
  if (!process.stdin.isTTY)
    throw usage('Nobody is there to say yes: give --yes to write, or --print to look.')
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test(
      (await asking.question(`Write ${files === 1 ? 'it' : `these ${files} files`}? [y/N] `)).trim(),
    )
  } finally {
    asking.close()
  }
}

/** What could not be written, and why. */
function write(plans: readonly FilePlan[], backups: Backups): { path: string; reason: string }[] {
  const run = backups.newRun()
  return plans.flatMap(plan => {
    try {
      backups.apply(plan, run)
      process.stderr.write(`${printable(`Wrote ${plan.path}`)}\n`)
      return []
    } catch (error) {
      const reason = (error as Error).message
      process.stderr.write(`${printable(`Not written: ${plan.path}: ${reason}`)}\n`)
      return [{ path: plan.path, reason }]
    }
  })
}

function undo(backups: Backups, json: boolean): number {
  const undone = backups.undo()
  if (json) say(printableJson({ files: undone }))
  else if (undone.length === 0) say('There is nothing to undo.')
  else for (const one of undone) say(printable(shownUndone(one)))
  return undone.some(({ kind }) => kind === 'refused') ? EXIT.failed : EXIT.ok
}

function shownUndone(undone: Undone): string {
  switch (undone.kind) {
    case 'restored':
      return `Put back ${undone.path}`
    case 'entries-restored': {
      const kept =
        undone.backup === undefined
          ? ''
          : ` These were changed since and stay: ${undone.kept.join(', ')}. The file as it was is ${undone.backup}.`
      return `Put back the servers in ${undone.path}; what else was changed there since stays.${kept}`
    }
    case 'refused':
      return `Left as it is: ${undone.path}: ${undone.reason}`
  }
}

function say(line: string): void {
  process.stdout.write(line.endsWith('\n') ? line : `${line}\n`)
}
