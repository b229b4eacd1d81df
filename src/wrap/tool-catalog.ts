import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { TOOL_NOTE } from '../mcp/instructions.ts'
import { answerSchema } from '../mcp/schema.ts'
import type { PollingTool } from '../mcp/tools.ts'

/** What the wrapper has to know of one of the server's tools. */
export interface KnownTool {
  readonly readOnly: boolean
  readonly idempotent: boolean
  readonly outputSchema: JsonObject | undefined
  /** Whether it can be called as a task of 2025-11-25. */
  readonly asTask: boolean
}

const NOT_DECLARED: KnownTool = {
  readOnly: false,
  idempotent: false,
  outputSchema: undefined,
  asTask: false,
}

/** The server's tools, as it declared them, and as the client is shown them. */
export class ToolCatalog {
  readonly #tools = new Map<string, KnownTool>()
  #complete = false

  /**
   * @param polling the tools that are added
   * @param goesThrough whether calls of a tool of this name go through the cache
   * @param onLearned hears of each tool that is listed
   */
  constructor(
    private readonly polling: readonly PollingTool[],
    private readonly goesThrough: (name: string) => boolean,
    private readonly onLearned: (name: string, tool: KnownTool) => void = () => {},
  ) {}

  /** Whether all tools are known; false again when the server says that they changed. */
  get complete(): boolean {
    return this.#complete
  }

  forget(): void {
    this.#tools.clear()
    this.#complete = false
  }

  /** A tool that was never listed has declared nothing. */
  known(name: string): KnownTool {
    return this.#tools.get(name) ?? NOT_DECLARED
  }

  has(name: string): boolean {
    return this.#tools.has(name)
  }

  /** Learns from one page of `tools/list`. */
  learn(page: JsonObject): void {
    for (const tool of toolsOf(page)) {
      const annotations = isJsonObject(tool.annotations) ? tool.annotations : {}
      const known = {
        readOnly: annotations.readOnlyHint === true,
        idempotent: annotations.idempotentHint === true,
        outputSchema: isJsonObject(tool.outputSchema) ? tool.outputSchema : undefined,
        asTask: canBeTask(tool),
      }
      this.#tools.set(tool.name, known)
      this.onLearned(tool.name, known)
    }
    if (page.nextCursor === undefined) this.#complete = true
  }

  /**
   * One page of `tools/list` as the client gets it; ours come at the end of the last one.
   * @param asTasks whether the client may call what goes through the cache as tasks of 2025-11-25
   */
  present(page: JsonObject, asTasks = false): JsonObject {
    this.learn(page)
    if (!Array.isArray(page.tools)) return page
    const ours = new Set(this.polling.map(({ name }) => name))
    const theirs = page.tools
      .filter(tool => !isJsonObject(tool) || !ours.has(String(tool.name)))
      .map(tool =>
        isJsonObject(tool) && this.goesThrough(String(tool.name)) ? extended(tool, asTasks) : tool,
      )
    const added = page.nextCursor === undefined ? this.polling.map(describePolling) : []
    return { ...page, tools: [...theirs, ...added] }
  }
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

function extended(tool: JsonObject, asTasks: boolean): JsonObject {
  const { description, outputSchema, execution } = tool
  return {
    ...tool,
    description:
      typeof description === 'string' && description !== '' ? `${description}\n\n${TOOL_NOTE}` : TOOL_NOTE,
    ...(isJsonObject(outputSchema) ? { outputSchema: widened(outputSchema) } : {}),
    // Where the server demands a task, we are the one to ask for it.
    ...(asTasks ? { execution: { ...(execution as JsonObject), taskSupport: 'optional' } } : {}),
  }
}

/** The server's own structured content satisfies it, and an answer about a reference does. */
function widened(outputSchema: JsonObject): JsonObject {
  const { type, ...schema } = answerSchema(outputSchema)
  return outputSchema.type === 'object' ? { type: 'object', ...schema } : schema
}

function describePolling({ name, title, description, inputSchema, annotations }: PollingTool): JsonValue {
  return { name, title, description, inputSchema, annotations: { title, ...annotations } }
}
