import { matchesGlob } from '../access/pattern.ts'
import type { Duration } from '../core/duration.ts'
import { suggest } from '../core/suggest.ts'
import { type FollowSettings, toolsNamedIn } from './follow/settings.ts'

/** What can be said for one tool; what is absent is the default for all tools. */
export interface ToolSettings {
  asyncTimeout?: Duration | undefined
  hardTimeout?: Duration | null | undefined
  ttl?: Duration | null | undefined
  /** Whether identical calls share one run and one result, for as long as `ttl`. @defaultValue false */
  memoize?: boolean | undefined
  /** The tools whose memoized results a call of this one makes outdated, by name or pattern. @defaultValue none */
  invalidates?: readonly string[] | undefined
  maxSize?: number | undefined
  /** Up to so many tokens a result passes as it is. @defaultValue 8000, or what the client takes */
  inline?: number | undefined
  strategy?: 'sample' | 'truncate' | 'paginate' | undefined
  /** Whether references in the arguments are replaced by what they stand for. @defaultValue true */
  resolveRefs?: boolean | undefined
  /** False: calls pass through as if there were no wrapper. */
  cache?: boolean | undefined
  /** Whether clients that show MCP Apps show a progress card beside the tool's calls. @defaultValue false */
  card?: boolean | undefined
  /** The tool starts a job: its call becomes the task that waits for the job's result. */
  follow?: FollowSettings | undefined
}

export interface CallSettings {
  defaults: ToolSettings
  /** Whether `_fresh` and `_as_ref` are listed with each tool. @defaultValue false */
  listReserved?: boolean | undefined
  /** Whether each tool says how references work, instead of the instructions. @defaultValue false */
  notes?: boolean | undefined
  /** Whether the instructions begin with how references work. @defaultValue false */
  instructionsFirst?: boolean | undefined
  /** By name, or by a pattern in which each `*` stands for any text. */
  tools: Readonly<Record<string, ToolSettings>>
}

/** The settings of each tool, put together once for as many tools as a server may have. */
export class SettingsByTool {
  readonly #known = new Map<string, ToolSettings>()

  constructor(private readonly settings: CallSettings) {}

  of(name: string): ToolSettings {
    const known = this.#known.get(name)
    if (known) return known
    const settings = settingsFor(this.settings, name)
    if (this.#known.size < MAX_KNOWN) this.#known.set(name, settings)
    return settings
  }
}

const MAX_KNOWN = 1_000

/** The settings of one tool: each from the most specific pattern that has it, else the default. */
export function settingsFor({ defaults, tools }: CallSettings, name: string): ToolSettings {
  const patterns = Object.keys(tools).filter(pattern => matchesGlob(pattern, name))
  return Object.assign({}, defaults, ...patterns.sort(bySpecificity).map(pattern => tools[pattern]))
}

/** A name before any pattern, more of the name before less; the least specific comes first. */
function bySpecificity(a: string, b: string): number {
  return Number(!isPattern(a)) - Number(!isPattern(b)) || lengthWithoutStars(a) - lengthWithoutStars(b)
}

function isPattern(tool: string): boolean {
  return tool.includes('*')
}

function lengthWithoutStars(pattern: string): number {
  return pattern.replaceAll('*', '').length
}

/** The same settings, with identical calls of some more tools sharing one result. */
export function withMemoized(settings: CallSettings, patterns: readonly string[]): CallSettings {
  const { tools } = settings
  const memoized = patterns.map(pattern => [pattern, { ...tools[pattern], memoize: true }] as const)
  return { ...settings, tools: { ...tools, ...Object.fromEntries(memoized) } }
}

/** One tool, or those of a pattern, whose calls make memoized results of others outdated. */
export interface Invalidates {
  readonly tool: string
  readonly outdated: string
}

/** The same settings, with more that calls make outdated. */
export function withInvalidated(settings: CallSettings, more: readonly Invalidates[]): CallSettings {
  const { tools } = settings
  const all: Record<string, ToolSettings> = { ...tools }
  for (const { tool, outdated } of more) {
    all[tool] = { ...all[tool], invalidates: [...(all[tool]?.invalidates ?? []), outdated] }
  }
  return { ...settings, tools: all }
}

/** What the settings name that the server does not list, with what may have been meant. */
export function unlistedTools({ tools }: CallSettings, listed: readonly string[]) {
  const named = Object.values(tools).flatMap(({ invalidates = [], follow }) => [
    ...invalidates,
    ...(follow ? toolsNamedIn(follow) : []),
  ])
  return [...new Set([...Object.keys(tools), ...named])]
    .filter(pattern => !listed.some(name => matchesGlob(pattern, name)))
    .map(pattern => ({ pattern, meant: suggest(pattern, listed) }))
}

/** Whether calls of some tool pass by the cache. */
export function somePassBy({ defaults, tools }: CallSettings): boolean {
  return [defaults, ...Object.values(tools)].some(({ cache }) => cache === false)
}
