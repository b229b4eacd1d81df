import { isDeepStrictEqual } from 'node:util'
import { CLIENTS } from '../../clients/locations.ts'
import { masked } from '../../clients/mask.ts'
import { printable } from '../../core/printable.ts'
import type { Entry, FilePlan, FileProblem, ServerPlan } from './file-plan.ts'

/** What would change, for people. Secrets are masked, and what a file says cannot steer the terminal. */
export function shownPlan(plan: FilePlan | FileProblem): string {
  const { client, scope, path } = plan.location
  const title = `${CLIENTS[client]}${scope === 'project' ? ', this project' : ''}: ${printable(path)}`
  if ('problem' in plan) return `${title}\n  cannot be changed: ${printable(plan.problem)}\n`
  const link = plan.path === path ? '' : `  (a link to ${printable(plan.path)})\n`
  const servers = plan.servers.map(server => shownServer(server, plan.companion?.path ?? ''))
  return `${title}\n${link}${servers.join('')}`
}

function shownServer({ name, before, after, stays }: ServerPlan, companion: string): string {
  if (!after) {
    const anyway = stays?.kind === 'sign-in' ? ` (--only ${name} changes it all the same)` : ''
    return `  ${printable(`${name}: stays, ${stays?.message ?? 'as it is'}${anyway}`)}\n`
  }
  if (Object.keys(after).length === 0) return `  ${printable(`${name}: moves to ${companion}`)}\n`
  return `  ${printable(name)}\n${difference(before, after)
    .map(line => `    ${line}\n`)
    .join('')}`
}

/** Line by line: what goes, what comes, and what stays of one entry. */
function difference(before: Entry, after: Entry): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap(key => {
    const line = (sign: string, entry: Entry) => `${sign} ${JSON.stringify(key)}: ${shown(entry[key], key)}`
    if (key in before && key in after && isDeepStrictEqual(before[key], after[key]))
      return [line(' ', before)]
    return [...(key in before ? [line('-', before)] : []), ...(key in after ? [line('+', after)] : [])]
  })
}

function shown(value: unknown, key: string): string {
  return printable(JSON.stringify(masked(value, key)) ?? 'null')
}

/** The same for programs. */
export function planAsData(plan: FilePlan | FileProblem): object {
  const { client, scope, path } = plan.location
  if ('problem' in plan) return { client, scope, path, problem: plan.problem }
  const servers = plan.servers.map(({ name, before, after, stays }) => ({
    name,
    ...(after ? { before: masked(before), after: masked(after) } : { stays: stays?.message }),
  }))
  return { client, scope, path, servers, ...(plan.companion ? { serversFile: plan.companion.path } : {}) }
}
