import type { Duration } from '../core/duration.ts'

/** What can be said for one tool; what is absent is the default for all tools. */
export interface ToolSettings {
  asyncTimeout?: Duration | undefined
  hardTimeout?: Duration | null | undefined
  ttl?: Duration | null | undefined
  /** Whether identical calls share one run and one result. Absent: as the tool's annotations allow. */
  memoize?: boolean | undefined
  maxSize?: number | undefined
  strategy?: 'sample' | 'truncate' | 'paginate' | undefined
  /** Whether references in the arguments are replaced by what they stand for. @defaultValue true */
  resolveRefs?: boolean | undefined
  /** False: calls pass through as if there were no wrapper. */
  cache?: boolean | undefined
}

export interface CallSettings {
  defaults: ToolSettings
  tools: Readonly<Record<string, ToolSettings>>
}

/** The settings of one tool: its own before the default. */
export function settingsFor({ defaults, tools }: CallSettings, name: string): ToolSettings {
  const own = Object.hasOwn(tools, name) ? tools[name] : undefined
  return { ...defaults, ...own }
}

/** Whether calls of some tool pass by the cache. */
export function somePassBy({ defaults, tools }: CallSettings): boolean {
  return [defaults, ...Object.values(tools)].some(({ cache }) => cache === false)
}
