import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import type { Change } from '../../clients/change.ts'
import type { ConfiguredServer } from '../../clients/configured-server.ts'
import { editConfig } from '../../clients/edit-config.ts'
import type { Location } from '../../clients/locations.ts'
import { ownWrapperIn } from '../../clients/own-wrapper.ts'
import { isTable, NoServers, parseClientConfig, parseRoot } from '../../clients/parse-config.ts'
import { type Launcher, wrapEntry } from '../../clients/wrap-entry.ts'
import type { Entry, FilePlan, FileProblem, ServerPlan } from './file-plan.ts'
import { canMove, gather } from './gather.ts'

export interface Choice {
  /** These alone, also those that would stay. Empty: all. */
  readonly only: readonly string[]
  readonly except: readonly string[]
  /** The project that is worked on: Claude Code has its servers in the user's file. */
  readonly folder: string
  /** Nobody will write it: a file that cannot be written is shown as others are. */
  readonly isShownOnly?: boolean
  launcherFor(location: Location): Launcher
  /** For servers that are to leave the client's file and stand behind one wrapper. Undefined: each is wrapped by itself. */
  serversFileFor?(location: Location): string | undefined
}

/** What would change in a file. Undefined where there is no such file, or no server in it. Changes nothing. */
export function planFile(location: Location, choice: Choice): FilePlan | FileProblem | undefined {
  try {
    const found = readConfig(location.path)
    return found && planText(location, found, choice)
  } catch (error) {
    if (error instanceof NoServers) return undefined
    return { location, problem: (error as Error).message }
  }
}

interface FoundConfig {
  readonly path: string
  readonly text: string
  readonly isWritable: boolean
}

/** @throws Error that says why the file cannot be changed */
function readConfig(given: string): FoundConfig | undefined {
  if (!lstatSync(given, { throwIfNoEntry: false })) return undefined
  const path = realPath(given)
  const stats = statSync(path)
  if (!stats.isFile()) throw new Error(`${given} is not a file.`)
  const bytes = readFileSync(path)
  if (bytes.toString('utf8').trim() === '') return undefined
  if (!Buffer.from(bytes.toString('utf8')).equals(bytes))
    throw new Error(`${given} is not UTF-8: save it in that encoding.`)
  return { path, text: bytes.toString('utf8'), isWritable: (stats.mode & 0o222) !== 0 }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw new Error(`${path} is a link to a file that is not there.`)
  }
}

function planText(location: Location, found: FoundConfig, choice: Choice): FilePlan {
  const { path, text, isWritable } = found
  const root = parseRoot(text, path)
  const launcher = choice.launcherFor(location)
  const all = serversOf(text, path, choice.folder)
  const planned = all
    .filter(({ name }) => isChosen(name, choice))
    .map(server => planServer(server, entryAt(root, server.place), launcher, choice))
  const file = choice.serversFileFor?.(location)
  const moved = file === undefined ? [] : planned.filter(plan => plan.isBareOrAlone && canMove(plan))
  const gathered =
    file === undefined || moved.length === 0 ? undefined : gather(text, root, moved, launcher, file)
  const ownChanges = planned.filter(plan => !moved.includes(plan)).flatMap(({ changes }) => changes)
  const changes = [...ownChanges, ...(gathered?.changes ?? [])]
  if (changes.length > 0 && !isWritable && !choice.isShownOnly)
    throw new Error(
      `${path} is read-only: make it writable, or change it by hand: init --print ${location.client} shows how.`,
    )
  const newText = changes.length === 0 ? text : editConfig(text, path, changes)
  const newRoot = parseRoot(newText, path)
  const servers = planned.map(({ changes: own, isBareOrAlone: _, ...plan }) => {
    const isChanged = own.length > 0 || moved.some(({ place }) => place === plan.place)
    const { stays: __, ...changed } = plan
    return isChanged ? { ...changed, after: entryAt(newRoot, plan.place) } : plan
  })
  return {
    location,
    path,
    text,
    newText,
    servers: gathered?.entry ? [...servers, gathered.entry] : servers,
    names: all.map(({ name }) => name),
    ...(gathered ? { companion: gathered.companion } : {}),
  }
}

/** Those of all projects together with those of this one, which can have the same names. */
function serversOf(text: string, path: string, folder: string): ConfiguredServer[] {
  const found = [...parsed(text, path), ...parsed(text, path, folder)]
  if (found.length === 0) throw new NoServers(`${path} names no servers.`)
  const places = found.map(({ place }) => JSON.stringify(place))
  return found.filter((_, at) => places.indexOf(places[at] as string) === at)
}

function parsed(text: string, path: string, folder?: string): readonly ConfiguredServer[] {
  try {
    return parseClientConfig(text, path, folder).servers
  } catch (error) {
    if (error instanceof NoServers) return []
    throw error
  }
}

function isChosen(name: string, { only, except }: Choice): boolean {
  return (only.length === 0 || only.includes(name)) && !except.includes(name)
}

interface PlannedServer extends ServerPlan {
  readonly changes: readonly Change[]
  /** Not yet behind this program, or behind a wrapper of its own. */
  readonly isBareOrAlone: boolean
}

function planServer(
  server: ConfiguredServer,
  before: Entry,
  launcher: Launcher,
  { only }: Choice,
): PlannedServer {
  const { name, place, transport } = server
  const plan = wrapEntry(server, before, launcher, only.includes(name))
  const own = transport.kind === 'stdio' ? ownWrapperIn(transport) : undefined
  return 'stays' in plan
    ? { name, place, before, stays: plan.stays, changes: [], isBareOrAlone: own?.kind === 'one' }
    : { name, place, before, changes: plan.changes, isBareOrAlone: true }
}

/** What stands at a place of a configuration; nothing where there is no such place. */
export function entryAt(root: Entry, place: readonly string[]): Entry {
  const entry = place.reduce<unknown>(
    (value, key) => (isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    root,
  )
  return isTable(entry) ? entry : {}
}
