import { asListed } from '../../agent/arguments.ts'
import { toolLimitIn } from '../../agent/caching.ts'
import { type CardTools, withCard } from '../../agent/card.ts'
import { TOOL_NOTE, withNote } from '../../agent/instructions.ts'
import { answerSchema } from '../../agent/schema.ts'
import { readSentArguments } from '../../agent/sent-arguments.ts'
import type { OwnTool } from '../../agent/tools/tool.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { ToolNames } from './names.ts'

/** What the wrapper has to know of one of the server's tools. */
export interface KnownTool {
  readonly readOnly: boolean
  readonly idempotent: boolean
  readonly inputSchema: JsonObject | undefined
  readonly outputSchema: JsonObject | undefined
  /** Whether it can be called as a task of 2025-11-25. */
  readonly asTask: boolean
  /** How many characters of its results it wants whole, for clients that honour that. */
  readonly resultLimit: number | undefined
}

export const NOT_DECLARED: KnownTool = {
  readOnly: false,
  idempotent: false,
  inputSchema: undefined,
  outputSchema: undefined,
  asTask: false,
  resultLimit: undefined,
}

/** Who a list is for, and which page of it this is. */
interface Shown {
  readonly isFirst?: boolean
  readonly asTasks?: boolean
  readonly listsReferences?: boolean
  readonly card?: string | undefined
}

/** How the server's tools are listed. */
export interface ListingOptions {
  /** Whether a reference in the arguments of a tool is replaced by its value. */
  takesReferences(toolName: string): boolean
  /** Our own arguments stand among those of each tool. */
  readonly listReserved: boolean
  /** Each tool says in a sentence how references work: the client ignores instructions. */
  readonly notes: boolean
  /** What we say of references stands before what the server says of itself: clients cut what is long. */
  readonly instructionsFirst: boolean
  /** Whether the tool's calls have a progress card, for clients that show those. */
  hasCard(toolName: string): boolean
  /** What is said of a tool that starts jobs. Its calls give the job's result, so its own output schema does not hold. */
  noteOnJob(toolName: string): string | undefined
}

const LISTING: ListingOptions = {
  listReserved: false,
  notes: false,
  instructionsFirst: false,
  takesReferences: () => true,
  hasCard: () => false,
  noteOnJob: () => undefined,
}

/** The server's tools, as it declared them, and as the client is shown them. */
export class ToolCatalog {
  readonly #tools = new Map<string, KnownTool>()
  #complete = false
  /** What ours are called beside the server's. */
  readonly names: ToolNames

  /**
   * @param polling the tools that are added
   * @param goesThrough whether calls of a tool of this name go through the cache
   * @param onLearned hears of each tool that is listed
   * @param onComplete hears of all tools when the last page of them was listed
   */
  constructor(
    private readonly polling: readonly OwnTool[],
    private readonly goesThrough: (name: string) => boolean,
    private readonly onLearned: (name: string, tool: KnownTool) => void = () => {},
    private readonly onComplete: (tools: ReadonlyMap<string, KnownTool>) => void = () => {},
    readonly listing: ListingOptions = LISTING,
  ) {
    this.names = new ToolNames(
      polling.map(({ name }) => name),
      name => this.#tools.has(name),
    )
  }

  /** Whether all tools are known; false again when the server says that they changed. */
  get complete(): boolean {
    return this.#complete
  }

  forget(): void {
    this.#tools.clear()
    this.#complete = false
  }

  /** The tools that a progress card calls. */
  get cardTools(): CardTools {
    const { names } = this
    return {
      get: names.of('get_cached_result'),
      cancel: names.of('cancel_task'),
      retry: names.of('retry_task'),
    }
  }

  /** A tool that was never listed has declared nothing. */
  known(name: string): KnownTool {
    return this.#tools.get(name) ?? NOT_DECLARED
  }

  has(name: string): boolean {
    return this.#tools.has(name)
  }

  /**
   * Our tool that a call is for: the one that has this name here. The server's own tool of that name gives way where the call names
   * a reference of this cache.
   */
  ownTool(params: JsonObject | undefined, cacheName: string): OwnTool | undefined {
    const named = this.polling.find(({ name }) => this.names.of(name) === params?.name)
    const own = named ?? this.polling.find(({ name }) => name === params?.name)
    if (named || !own || !takesReference(own)) return named
    const args = readSentArguments(own.inputSchema, params?.arguments) as JsonValue
    const refId = isJsonObject(args) ? args.ref_id : undefined
    return typeof refId === 'string' && refId.startsWith(`${cacheName}:`) ? own : undefined
  }

  /** Learns from one page of `tools/list`. */
  learn(page: JsonObject): void {
    for (const tool of toolsOf(page)) {
      const annotations = isJsonObject(tool.annotations) ? tool.annotations : {}
      const known = {
        readOnly: annotations.readOnlyHint === true,
        idempotent: annotations.idempotentHint === true,
        inputSchema: isJsonObject(tool.inputSchema) ? tool.inputSchema : undefined,
        outputSchema: this.#outputSchemaOf(tool),
        asTask: canBeTask(tool),
        resultLimit: toolLimitIn(tool._meta),
      }
      this.#tools.set(tool.name, known)
      this.onLearned(tool.name, known)
    }
    if (page.nextCursor !== undefined) return
    this.#complete = true
    this.onComplete(this.#tools)
  }

  /** There are more pages than anybody reads. */
  giveUp(): void {
    this.#complete = true
  }

  /**
   * One page of `tools/list` as the client gets it. Ours stand on the first: many clients read no other, and a list may have no end.
   * @param listsReferences whether the client can be shown that an argument may be a reference
   * @param asTasks whether the client may call what goes through the cache as tasks of 2025-11-25
   * @param card where the progress card is, for a client that shows it
   */
  present(page: JsonObject, shown: Shown = {}): JsonObject {
    const { isFirst = true, asTasks = false } = shown
    this.learn(page)
    const theirs = (Array.isArray(page.tools) ? page.tools : []).map(tool =>
      isJsonObject(tool) && this.goesThrough(String(tool.name)) ? this.#extended(tool, shown) : tool,
    )
    return {
      ...page,
      tools: isFirst ? [...theirs, ...this.polling.map(tool => this.#describe(tool, asTasks))] : theirs,
    }
  }

  #extended(tool: JsonObject, { asTasks = false, listsReferences = true, card }: Shown): JsonObject {
    const { outputSchema: _, ...kept } = tool
    const { description, inputSchema, execution } = kept
    const outputSchema = this.#outputSchemaOf(tool)
    const notes = [
      this.listing.noteOnJob(String(tool.name)),
      this.listing.notes ? this.names.inText(TOOL_NOTE) : undefined,
    ].filter(note => note !== undefined)
    const words = typeof description === 'string' ? description : undefined
    return {
      ...(card !== undefined && this.listing.hasCard(String(tool.name)) ? withCard(kept, card) : kept),
      ...(notes.length > 0 ? { description: notes.reduce<string>(withNote, words ?? '') } : {}),
      ...(isJsonObject(inputSchema)
        ? {
            inputSchema: asListed(inputSchema, {
              admitsReferences: listsReferences && this.listing.takesReferences(String(tool.name)),
              listReserved: this.listing.listReserved,
            }),
          }
        : {}),
      ...(outputSchema ? widenedSchema(outputSchema) : {}),
      // Where the server demands a task, we are the one to ask for it.
      ...(asTasks ? { execution: { ...(execution as JsonObject), taskSupport: 'optional' } } : {}),
    }
  }

  #outputSchemaOf({ name, outputSchema }: JsonObject): JsonObject | undefined {
    const isJob = this.listing.noteOnJob(String(name)) !== undefined
    return isJsonObject(outputSchema) && !isJob ? outputSchema : undefined
  }

  #describe(
    { name, title, description, inputSchema, annotations, asTask }: OwnTool,
    asTasks: boolean,
  ): JsonValue {
    const words = this.names.inWords({ description, inputSchema })
    return {
      name: this.names.of(name),
      title,
      ...(words as JsonObject),
      annotations: { title, ...annotations },
      ...(asTasks && asTask ? { execution: { taskSupport: 'optional' } } : {}),
    }
  }
}

function takesReference({ inputSchema: { properties } }: OwnTool): boolean {
  return isJsonObject(properties) && 'ref_id' in properties
}

function toolsOf(page: JsonObject): Array<JsonObject & { name: string }> {
  if (!Array.isArray(page.tools)) return []
  return page.tools.filter(
    (tool): tool is JsonObject & { name: string } => isJsonObject(tool) && typeof tool.name === 'string',
  )
}

function canBeTask({ execution }: JsonObject): boolean {
  return (
    isJsonObject(execution) && (execution.taskSupport === 'optional' || execution.taskSupport === 'required')
  )
}

/** What is nested deeper than the engine's stack is left out: a client that knows no schema takes any answer. */
function widenedSchema(outputSchema: JsonObject): JsonObject {
  try {
    return { outputSchema: widened(outputSchema) }
  } catch (error) {
    if (error instanceof RangeError) return {}
    throw error
  }
}

/** The server's own structured content satisfies it, and an answer about a reference does. */
function widened(outputSchema: JsonObject): JsonObject {
  const schema = answerSchema(outputSchema)
  if (outputSchema.type === 'object') return schema
  const { type: _, anyOf, ...rest } = schema
  return {
    ...rest,
    anyOf: (anyOf as JsonObject[]).map((one, at) => (at === 0 ? one : { type: 'object', ...one })),
  }
}
