import { statSync } from 'node:fs'
import { profileNamed } from '../../agent/profiles.ts'
import { CLIENTS, type ClientName, clientLocations, type Machine } from '../../clients/locations.ts'
import type { FilePlan } from '../init/file-plan.ts'
import { planFile } from '../init/plan.ts'
import { type Finding, mend, note, ok } from './finding.ts'

/** The profile of each client, where something is known of it. */
const PROFILE_OF: Partial<Record<ClientName, string>> = {
  'claude-desktop': 'claude',
  'claude-code': 'claude-code',
  cursor: 'cursor',
  vscode: 'vscode',
  codex: 'codex',
  zed: 'zed',
}

/** The clients that have servers on this machine: what they can take, and which of their servers are not behind us. */
export function checkClients(machine: Machine): Finding[] {
  return clientLocations(machine).flatMap(location => {
    const plan = planFile(location, {
      only: [],
      except: [],
      folder: machine.folder,
      isShownOnly: true,
      launcherFor: () => ({ command: 'mcp-refcache', args: [] }),
    })
    if (plan === undefined) return []
    const what = { about: 'client', subject: `${CLIENTS[location.client]}, ${location.path}` } as const
    if ('problem' in plan)
      return [mend(what, plan.problem, 'Mend the file; the client may not read it either.')]
    return [limitsOf(what, location.client, plan), ...openToOthers(what, plan)]
  })
}

type What = { readonly about: 'client'; readonly subject: string }

function limitsOf(what: What, client: ClientName, { servers }: FilePlan): Finding {
  const bare = servers.filter(({ after }) => after !== undefined).map(({ name }) => name)
  const limits = limitsInWords(client)
  if (bare.length === 0)
    return ok(what, `${servers.length} servers, none to put behind mcp-refcache. ${limits}`)
  return note(
    what,
    `${bare.length} of ${servers.length} servers are not behind mcp-refcache (${bare.join(', ')}). ${limits}`,
    `mcp-refcache init --client ${client}`,
  )
}

function limitsInWords(client: ClientName): string {
  const name = PROFILE_OF[client]
  const { ceiling, patience } = profileNamed(name ?? 'default')
  const size = ceiling?.tokens ?? ceiling?.characters
  const words = [
    size === undefined
      ? undefined
      : `takes ${size} ${ceiling?.tokens ? 'tokens' : 'characters'} of an answer`,
    patience === undefined ? undefined : `waits ${patience} s for one`,
  ].filter(text => text !== undefined)
  return words.length === 0 ? 'Its limits are not known.' : `The client ${words.join(' and ')}.`
}

function openToOthers(what: What, { location, path, servers }: FilePlan): Finding[] {
  const holdsSecrets = servers.some(
    ({ before }) => 'env' in before || 'headers' in before || 'http_headers' in before,
  )
  if (process.platform === 'win32' || location.scope === 'project' || !holdsSecrets) return []
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) === 0) return []
  return [
    note(
      what,
      `holds values of environments or headers, and others on this machine can open it (mode ${mode.toString(8)}).`,
      `chmod 600 '${path}'`,
    ),
  ]
}
