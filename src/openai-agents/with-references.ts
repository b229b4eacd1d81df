import { asListed } from '../agent/arguments.ts'
import { TOOL_NOTE, withNote } from '../agent/instructions.ts'
import type { ProgramOptions } from '../agent/program/options.ts'
import type { ProgramCall, ProgramTool } from '../agent/program/program-tool.ts'
import { asText, ProgramTools } from '../agent/program/program-tools.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import type { JsonObject } from '../core/json.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'
import type { FunctionTool, OwnFunctionTool, RunContext, ToolCallDetails } from './tool.ts'

/** A call of a tool, as `actorOf` is asked about it. */
export interface ToolCallInfo<Context = unknown> {
  readonly toolName: string
  readonly toolCallId: string | undefined
  /** The context of the run, as the program gave it. */
  readonly context: Context
}

/** Options of `withReferences`. */
export interface ReferenceOptions<Context = unknown> extends ProgramOptions<string, ToolCallInfo<Context>> {}

/**
 * The same tools for agents of `@openai/agents`, through the cache, and ours beside them: a small result passes as the tool gave it, a
 * large one is a preview to the model, a slow one a handle, and inputs may be references. Tools that are no function tools stay as they are.
 *
 * @example
 * const agent = new Agent({ name: 'clerk', instructions: REFERENCE_INSTRUCTIONS, tools: withReferences([exportOrders], cache) })
 *
 * @throws InvalidArgument
 */
export function withReferences<
  Tool extends { readonly type: string; readonly name: string },
  Context = unknown,
>(
  tools: readonly Tool[],
  cache: RefCache,
  options: ReferenceOptions<Context> = {},
): (Tool | OwnFunctionTool)[] {
  const exports = options.exportDir === undefined ? undefined : new ExportFolder(options.exportDir)
  const names = tools.map(({ name }) => name)
  const set = new ProgramTools<ToolCallInfo<Context>>(cache, options, names, exports)
  const wrapped = tools.map(tool => {
    const given = tool as unknown as FunctionTool
    return given.type === 'function' ? { ...tool, ...referenced(set, given, options) } : tool
  })
  return [...wrapped, ...set.own.map(tool => ownTool(set, tool))]
}

type Changed = Pick<FunctionTool, 'description' | 'parameters' | 'invoke' | 'needsApproval'>

function referenced<Context>(
  set: ProgramTools<ToolCallInfo<Context>>,
  tool: FunctionTool,
  { perTool, notes, listReserved = false }: ReferenceOptions<Context>,
): Changed {
  const { name, parameters, strict, description } = tool
  const own = perTool?.[name] ?? {}
  const definition = { name, inputSchema: () => parameters }
  // Its work needs the context of a run, so it is never run again without one.
  const registered = set.add(definition)
  const judge = set.approval(definition, own)
  const asked = async (
    run: RunContext,
    args: unknown,
    toolCallId: string | undefined,
    signal?: AbortSignal,
  ) => {
    const { own: input, ...split } = await registered.split(args)
    const caller = set.callerOf({ toolName: name, toolCallId, context: run.context as Context })
    return { ...split, input, caller, signal }
  }
  return {
    description: notes ? withNote(description, TOOL_NOTE) : description,
    parameters: asListed(parameters, {
      admitsReferences: own.resolveRefs !== false,
      // A strict schema has no argument that may be left out.
      listReserved: listReserved && !strict,
    }),
    invoke: async (run, sent, details) => {
      const args = parsed(sent)
      // What is wrong with it the tool says best.
      if (args === undefined) return tool.invoke(run, sent, details)
      const call = await asked(run, args, details?.toolCall?.callId, details?.signal)
      const isSmallToModel = (result: unknown) => set.isSmallBesideMedia(result)
      return answerOf(registered, tool, { ...call, isSmallToModel }, run, details)
    },
    needsApproval: async (run, input, callId) => {
      if (!registered.holdsReferences(input)) return tool.needsApproval(run, input, callId)
      return judge(await asked(run, input, callId), filled => tool.needsApproval(run, filled, callId))
    },
  }
}

async function answerOf(
  registered: ProgramTool,
  tool: FunctionTool,
  call: Omit<ProgramCall, 'work'>,
  run: RunContext,
  details: ToolCallDetails | undefined,
): Promise<unknown> {
  const answer = await registered.call({
    ...call,
    work: (filled, { signal }) => tool.invoke(run, JSON.stringify(filled), { ...details, signal }),
  })
  return answer.kind === 'result' ? answer.result : answer.reference
}

function parsed(sent: string): unknown {
  try {
    return JSON.parse(sent === '' ? '{}' : sent)
  } catch {
    return undefined
  }
}

function ownTool<Context>(set: ProgramTools<ToolCallInfo<Context>>, tool: OwnTool): OwnFunctionTool {
  const { name, description, inputSchema } = tool
  return {
    type: 'function',
    name,
    description,
    parameters: closed(inputSchema),
    strict: false,
    needsApproval: async () => false,
    isEnabled: async () => true,
    invoke: async (run, sent, details) => {
      const toolCallId = details?.toolCall?.callId
      const call = { toolName: name, toolCallId, context: run.context as Context }
      return asText(await set.callOwn(tool, parsed(sent) ?? sent, call, details?.signal))
    },
  }
}

/** The SDK wants these members of every schema. */
function closed(schema: JsonObject): OwnFunctionTool['parameters'] {
  return {
    required: [],
    ...schema,
    type: 'object',
    properties: schema.properties as JsonObject,
    additionalProperties: true,
  } as OwnFunctionTool['parameters']
}
