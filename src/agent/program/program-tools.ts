import type { AnswerLimits } from '../../core/answer-limits.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { hint } from '../../core/suggest.ts'
import type { RefCache } from '../../ref-cache.ts'
import { countTokens } from '../../tokens/tokenizer.ts'
import { type Caller, toCaller, vouchedFor } from '../identity.ts'
import { limitsOf } from '../limits.ts'
import type { Profile } from '../profiles.ts'
import type { ExportTarget } from '../tools/export.ts'
import { ownTools } from '../tools/own-tools.ts'
import type { OwnTool } from '../tools/tool.ts'
import type { ToolResult } from '../wire.ts'
import {
  checkProgramOptions,
  PROGRAM_OPTIONS,
  type ProgramOptions,
  type ProgramToolOptions,
} from './options.ts'
import { type ProgramCall, ProgramTool, type ProgramToolDefinition } from './program-tool.ts'
import { isReference } from './reference.ts'

/** A program gives its model one form of an answer, uncut, and waits as long as it likes. */
const PROGRAM: Profile = {
  name: 'program',
  reads: 'structured',
  source: 'the adapters of this package',
  date: '2026-11',
}

/** Blocks of a result that are no text, in the words of several SDKs. */
const MEDIA = /^(?:input_)?(?:image|audio|video|file)(?:_url)?$/

/**
 * The tools of an agent's own program, and ours beside them, free of the program's SDK.
 * @typeParam Call what the SDK says of a call
 */
export class ProgramTools<Call> {
  /** Our tools, for the SDK to list. */
  readonly own: readonly OwnTool[]
  readonly #limits: AnswerLimits

  /**
   * @param names of the program's tools
   * @param exports where the program allows files to be written
   * @throws InvalidArgument; where a tool of the program has the name of one of ours, too
   */
  constructor(
    private readonly cache: RefCache,
    private readonly options: ProgramOptions<string, Call>,
    names: readonly string[],
    exports?: ExportTarget,
  ) {
    checkNames<object>(options, PROGRAM_OPTIONS as Names<object>, 'withReferences')
    checkProgramOptions(options)
    this.#limits = limitsOf(PROGRAM, { inlineLimit: options.inline, answerCeiling: options.answerCeiling })
    this.own = ownTools(cache, options, exports)
    checkDistinct(names, this.own)
    for (const name of Object.keys(options.perTool ?? {})) checkKnown(name, names)
  }

  /** Whether what a tool of the set closes over may be one caller's alone. */
  get isOfOneCaller(): boolean {
    return this.options.actor !== undefined
  }

  /**
   * A tool of the program.
   * @param own what the program says of this tool
   */
  add(
    definition: ProgramToolDefinition,
    own: ProgramToolOptions = this.options.perTool?.[definition.name] ?? {},
  ): ProgramTool {
    return new ProgramTool(this.cache, definition, this.options, own, this.#limits)
  }

  /**
   * Asks a program's own rule for approval about the values behind the references in an input. What cannot be judged needs a person.
   * @param own what the program says of the tool
   */
  approval({ name, inputSchema }: ProgramToolDefinition, { resolveRefs }: ProgramToolOptions) {
    const tool = this.add({ name: `${name} (approval)`, inputSchema }, { resolveRefs })
    return async (
      asked: Omit<ProgramCall, 'work'>,
      rule: (filled: JsonValue) => unknown,
    ): Promise<boolean> => {
      let verdict: unknown = true
      const work = async (filled: JsonValue) => {
        verdict = await rule(filled)
        return null
      }
      try {
        await tool.call({ ...asked, work })
      } catch {
        return true
      }
      return Boolean(verdict)
    }
  }

  /** @throws RefCacheError where `actorOf` does */
  callerOf(call: Call): Caller {
    const { actor, actorOf } = this.options
    return toCaller({
      named: vouchedFor(() => actor ?? actorOf?.(call)),
      session: undefined,
      shared: actorOf !== undefined,
      claims: {},
    })
  }

  /** Calls one of our own tools. Answers in every case, with an error too. */
  async callOwn(tool: OwnTool, args: unknown, call: Call, signal?: AbortSignal): Promise<OwnOutput> {
    const { actor } = this.callerOf(call)
    const isLocal = this.options.actor === undefined && this.options.actorOf === undefined
    return ownOutput(await tool.handle(args, { actor, signal, isLocal, limits: this.#limits }))
  }

  /** Whether a text that a tool's author shows the model in the place of a result passes as it is. */
  async isSmall(text: string): Promise<boolean> {
    const { tokens } = this.#limits.inline
    return tokens === undefined || (await countTokens(text, { limit: tokens })) <= tokens
  }

  /** Whether a result has images or files, which the model is shown as such, and little text beside them. */
  async isSmallBesideMedia(result: unknown): Promise<boolean> {
    const parts = [result].flat() as ({ type?: unknown; text?: unknown } | null)[]
    const texts = parts.filter(part => !MEDIA.test(`${part?.type}`))
    return texts.length < parts.length && this.isSmall(texts.map(part => `${part?.text}`).join('\n'))
  }
}

/** @throws InvalidArgument */
function checkDistinct(names: readonly string[], own: readonly OwnTool[]): void {
  const taken = own.find(({ name }) => names.includes(name))?.name
  if (taken === undefined) return
  throw new InvalidArgument(
    `The set has a tool '${taken}' already, and one of that name is added for references. Rename yours; put sets together before withReferences, not after it.`,
  )
}

/** @throws InvalidArgument */
function checkKnown(name: string, names: readonly string[]): void {
  if (names.includes(name)) return
  throw new InvalidArgument(`perTool names '${name}', which is no tool of the set. ${hint(name, names)}`)
}

/** What the model of a program is given that takes texts. */
export function asText(output: OwnOutput): string {
  if (typeof output === 'string') return output
  const { content, structuredContent } = output as Partial<ToolResult>
  if (!Array.isArray(content)) return stringifyJson(output as JsonValue)
  if (structuredContent !== undefined) return stringifyJson(structuredContent)
  return content.map(({ type, text }) => (type === 'text' ? text : `[${type}]`)).join('\n\n')
}

/** What one of our tools gives: our answer as an object, a text, or a result of MCP with its blocks. */
export type OwnOutput = JsonValue | ToolResult

function ownOutput(result: ToolResult): OwnOutput {
  const { content, structuredContent } = result
  const [only, ...more] = content
  if (only?.type !== 'text' || more.length > 0) return result
  if (structuredContent === undefined) return result.isError ? result : only.text
  return only.text === stringifyJson(structuredContent) ? structuredContent : result
}

/** Whether our answer says that something went wrong. */
export function isErrorOutput(output: unknown): boolean {
  if (!isJsonObject(output as JsonValue)) return false
  const { error, status, preview, rows } = output as Record<string, JsonValue | undefined>
  if (isReference(output)) return status === 'failed' && preview === undefined && rows === undefined
  return isJsonObject(error) && typeof error.code === 'string' && typeof error.message === 'string'
}
