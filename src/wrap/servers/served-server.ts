import { matchesGlob } from '../../access/pattern.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { Channel } from '../channels/channel.ts'

/** What of a server's tools is shown, and how. By its own names. */
export interface ToolSelection {
  /** Names or patterns. Absent: all. */
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** What a tool is called instead, behind the server's name. */
  readonly rename?: Readonly<Record<string, string>> | undefined
  /** What is said of a tool instead. */
  readonly describe?: Readonly<Record<string, string>> | undefined
  /** Longer descriptions are cut, in characters. */
  readonly maxDescription?: number | undefined
}

/** One of several servers behind one front door. */
export interface ServedServer {
  /** As the file calls it. */
  readonly name: string
  /** What it is called in the names of its tools, and wherever ids of several servers meet. */
  readonly key: string
  /** Stands for the server and its credentials. */
  readonly scope: string
  readonly connect: () => Promise<Channel>
  /** As of its channel. */
  readonly isPipe: boolean
  /** Why it can never be started as the file has it. */
  readonly problem?: string | undefined
  readonly tools: ToolSelection
}

export function isShown({ include, exclude = [] }: ToolSelection, tool: string): boolean {
  const matches = (patterns: readonly string[]) => patterns.some(pattern => matchesGlob(pattern, tool))
  return (include === undefined || matches(include)) && !matches(exclude)
}

/** A tool as the client is listed it. */
export function asSelected(
  tool: JsonObject,
  name: string,
  { describe = {}, maxDescription }: ToolSelection,
): JsonValue {
  const own = settingOf(describe, tool.name)
  const said = own ?? tool.description
  if (typeof said !== 'string') return { ...tool, name }
  return { ...tool, name, description: maxDescription === undefined ? said : shortened(said, maxDescription) }
}

/** What is set for a tool: its server may call it `constructor`. */
export function settingOf(
  settings: Readonly<Record<string, string>> | undefined,
  tool: JsonValue | undefined,
): string | undefined {
  return settings && typeof tool === 'string' && Object.hasOwn(settings, tool) ? settings[tool] : undefined
}

/** Up to the end of a sentence, where there is one. */
function shortened(text: string, length: number): string {
  if (text.length <= length) return text
  const begin = text.slice(0, length)
  const sentence = /^.*[.!?](?=\s|$)/s.exec(begin)?.[0]
  return sentence ?? `${begin.replace(/\s+\S*$/, '')} …`
}

/** The texts under `name` of what a server lists. */
export function namesIn(list: readonly JsonValue[]): string[] {
  return list.flatMap(one => (isJsonObject(one) && typeof one.name === 'string' ? [one.name] : []))
}
