import type {
  DynamicStructuredTool,
  StructuredToolInterface,
  ToolRunnableConfig,
} from '@langchain/core/tools'
import * as z from 'zod'
import { asListed } from '../agent/arguments.ts'
import { TOOL_NOTE, withNote } from '../agent/instructions.ts'
import type { ProgramOptions } from '../agent/program/options.ts'
import { asText, ProgramTools } from '../agent/program/program-tools.ts'
import type { Reference } from '../agent/program/reference.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import { InvalidArgument } from '../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { brokenPackage, isMissing } from '../core/missing-package.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'

/** A call of a tool, as `actorOf` is asked about it. */
export interface ToolCallInfo {
  readonly toolName: string
  readonly toolCallId: string | undefined
  /** As the graph or the program gave it: `configurable`, `context`, `metadata`, … */
  readonly config: ToolRunnableConfig
}

/** The part of a tool of LangChain that is used here, whatever its schema is written with. */
export interface AnyTool {
  readonly name: string
  readonly description: string
  readonly schema: unknown
  invoke(input: never, config?: never): Promise<unknown>
}

/** Options of `withReferences`. */
export interface ReferenceOptions extends ProgramOptions<string, ToolCallInfo> {}

/**
 * The same tools for agents of LangChain and LangGraph, through the cache, and ours beside them: a small result passes as the tool gave it,
 * a large one is a preview to the model, a slow one a handle, and inputs may be references. What the model is given is the content of the
 * `ToolMessage`; a reference is also its `artifact`.
 *
 * @example
 * const agent = createAgent({ model, systemPrompt: REFERENCE_INSTRUCTIONS, tools: await withReferences([exportOrders], cache) })
 *
 * @throws InvalidArgument
 */
export async function withReferences(
  tools: readonly AnyTool[],
  cache: RefCache,
  options: ReferenceOptions = {},
): Promise<StructuredToolInterface[]> {
  const exports = options.exportDir === undefined ? undefined : new ExportFolder(options.exportDir)
  const names = tools.map(({ name }) => name)
  const set = new ProgramTools<ToolCallInfo>(cache, options, names, exports)
  const sdk = await loadLangChain()
  return [
    ...tools.map(tool => referenced(sdk, set, tool, options)),
    ...set.own.map(tool => ownTool(sdk, set, tool)),
  ]
}

type Sdk = Awaited<ReturnType<typeof loadLangChain>>

async function loadLangChain() {
  try {
    const [{ DynamicStructuredTool }, { toJsonSchema }, { isDirectToolOutput }] = await Promise.all([
      import('@langchain/core/tools'),
      import('@langchain/core/utils/json_schema'),
      import('@langchain/core/messages/tool'),
    ])
    return { DynamicStructuredTool, toJsonSchema, isDirectToolOutput }
  } catch (cause) {
    const message = isMissing('@langchain/core', cause)
      ? 'mcp-refcache/langchain needs the package @langchain/core: npm install @langchain/core'
      : brokenPackage('@langchain/core', cause)
    throw new InvalidArgument(message, { cause })
  }
}

/** What the model is given, and what the program alone gets. */
type ContentAndArtifact = [content: unknown, artifact: unknown]

function referenced(
  { DynamicStructuredTool, toJsonSchema, isDirectToolOutput }: Sdk,
  set: ProgramTools<ToolCallInfo>,
  tool: AnyTool,
  { perTool, notes, listReserved = false }: ReferenceOptions,
): StructuredToolInterface {
  const { name, description } = tool
  const schema = toJsonSchema(tool.schema as JsonObject) as JsonObject
  // Its work needs the config of a run, so it is never run again without one.
  const registered = set.add({ name, inputSchema: () => schema })
  const listed = asListed(schema, {
    admitsReferences: perTool?.[name]?.resolveRefs !== false,
    listReserved,
  })

  async function call(sent: unknown, config: ToolRunnableConfig): Promise<ContentAndArtifact> {
    const { own: input, ...split } = await registered.split(typeof sent === 'string' ? { input: sent } : sent)
    const toolCallId = config.toolCall?.id
    let ran: ContentAndArtifact | undefined
    const answer = await registered.call({
      ...split,
      input,
      caller: set.callerOf({ toolName: name, toolCallId, config }),
      signal: config.signal,
      work: async (filled, { signal }) => {
        const given = await tool.invoke(filled as never, { ...config, signal } as never)
        // A command to the graph is no value.
        ran = isDirectToolOutput(given) ? contentOf(given) : [given, undefined]
        return isValue(ran[0]) ? ran[0] : null
      },
      isSmallToModel: result => set.isSmallBesideMedia(result),
    })
    if (answer.kind === 'reference')
      return [stringifyJson(answer.reference as unknown as JsonValue), answer.reference]
    return ran ?? [answer.result, undefined]
  }

  return make(DynamicStructuredTool, {
    name,
    description: notes ? withNote(description, TOOL_NOTE) : description,
    listed,
    like: tool as Partial<DynamicStructuredTool>,
    call,
  })
}

/** The content of a message is the value; any other output goes to the graph as it is. */
function contentOf(given: unknown): ContentAndArtifact {
  const { content, artifact, tool_call_id } = given as Record<string, unknown>
  return tool_call_id === undefined ? [given, undefined] : [content, artifact]
}

/** Class instances, such as commands to a graph, are no values. */
function isValue(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return true
  const prototype = Object.getPrototypeOf(given)
  return prototype === null || prototype === Object.prototype
}

function ownTool(
  { DynamicStructuredTool }: Sdk,
  set: ProgramTools<ToolCallInfo>,
  tool: OwnTool,
): StructuredToolInterface {
  const { name, description, inputSchema } = tool
  return make(DynamicStructuredTool, {
    name,
    description,
    listed: inputSchema,
    call: async (sent, config) => {
      const call = { toolName: name, toolCallId: config.toolCall?.id, config }
      const output = await set.callOwn(tool, sent, call, config.signal)
      return [
        asText(output),
        isJsonObject(output as JsonValue) ? (output as unknown as Reference) : undefined,
      ]
    },
  })
}

interface Making {
  readonly name: string
  readonly description: string
  readonly listed: JsonObject
  /** The tool that it stands for. */
  readonly like?: Partial<DynamicStructuredTool>
  call(sent: unknown, config: ToolRunnableConfig): Promise<ContentAndArtifact>
}

function make(
  Tool: Sdk['DynamicStructuredTool'],
  { name, description, listed, like = {}, call }: Making,
): StructuredToolInterface {
  const { returnDirect, metadata, tags, extras } = like
  return new Tool({
    name,
    description,
    schema: shown(listed),
    responseFormat: 'content_and_artifact',
    ...(returnDirect === undefined ? {} : { returnDirect }),
    ...(metadata ? { metadata } : {}),
    ...(tags ? { tags } : {}),
    ...(extras ? { extras } : {}),
    func: async (sent, manager, config) =>
      call(sent, { ...config, ...(manager ? { callbacks: manager.getChild() } : {}) } as ToolRunnableConfig),
  }) as StructuredToolInterface
}

/** A schema that shows itself so, and lets everything pass: the tool itself checks its input, when the values are in. */
function shown(jsonSchema: JsonObject): z.ZodType {
  const schema = z.unknown()
  schema._zod.toJSONSchema = () => jsonSchema
  return schema
}
