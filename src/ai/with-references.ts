import type { Tool, ToolExecutionOptions, ToolSet } from 'ai'
import { asListed } from '../agent/arguments.ts'
import { TOOL_NOTE, withNote } from '../agent/instructions.ts'
import type { ProgramToolOptions } from '../agent/program/options.ts'
import type { ProgramCall, ProgramTool, ProgramWork } from '../agent/program/program-tool.ts'
import { ProgramTools } from '../agent/program/program-tools.ts'
import { isReference } from '../agent/program/reference.ts'
import { answerSchema } from '../agent/schema.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import type { TaskContext } from '../core/handler.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'
import { isReturnedResult } from '../values/returned-result.ts'
import { GivenSchema, InputReader, type ReadInput, toSchema } from './input.ts'
import { ownModelOutput, type ToModelOutput, withReferencesShown, wordsIn } from './model-output.ts'
import { asStream, isStreaming, lastOf } from './stream.ts'
import type { ReferenceOptions, ToolCallInfo, WithReferences } from './types.ts'

/**
 * The same tools for `generateText`, `streamText` and agents of the AI SDK, through the cache, and ours beside them: a small result
 * passes as the tool gave it, a large one is a preview to the model, a slow one a handle, and inputs may be references. Tools
 * without `execute`, and those that the provider runs, stay as they are.
 *
 * @example
 * const tools = withReferences({ ...mine, ...(await mcpClient.tools()) }, cache, { asyncTimeout: '10s' })
 * const { toolResults } = await generateText({ model, tools, prompt, instructions: REFERENCE_INSTRUCTIONS })
 *
 * @throws InvalidArgument
 */
export function withReferences<Tools extends ToolSet, Context = unknown>(
  tools: Tools,
  cache: RefCache,
  options: ReferenceOptions<Tools, Context> = {},
): WithReferences<Tools, Context> {
  const exports = options.exportDir === undefined ? undefined : new ExportFolder(options.exportDir)
  const set = new ProgramTools<ToolCallInfo<Context>>(cache, options, Object.keys(tools), exports)
  const named = Object.entries(tools).map(([name, tool]) => [
    name,
    runsHere(tool as Tool) ? referenced(set, name, tool as Runnable, options) : tool,
  ])
  const own = set.own.map(tool => [tool.name, ownTool(set, tool)])
  return Object.fromEntries([...named, ...own])
}

type Call<Context> = ToolCallInfo<Context>
type Options = ToolExecutionOptions<unknown>
type Runnable = Tool & { execute: NonNullable<Tool['execute']> }

function runsHere(tool: Tool): tool is Runnable {
  return typeof tool.execute === 'function' && !(tool.type === 'provider' && tool.isProviderExecuted)
}

function referenced<Context>(
  set: ProgramTools<Call<Context>>,
  name: string,
  tool: Runnable,
  options: ReferenceOptions<ToolSet, Context>,
): Tool {
  const schema = new GivenSchema(tool.inputSchema)
  const inputSchema = () => schema.jsonSchema()
  const registered = set.add({
    name,
    inputSchema,
    hints: hintsOf(tool),
    rerun: set.isOfOneCaller || tool.contextSchema ? undefined : rerunOf(tool, schema),
  })
  const reader = new InputReader(schema, registered)
  const run = new ToolRun(set, name, tool, schema, registered, reader)
  const own = options.perTool?.[name] ?? {}
  const { notes, listReserved = false } = options
  const listed = async () =>
    asListed(await inputSchema(), {
      admitsReferences: own.resolveRefs !== false,
      // A strict schema has no argument that may be left out.
      listReserved: listReserved && !tool.strict,
    })
  return {
    ...tool,
    ...(notes && tool.type !== 'provider' ? { description: noted(tool.description) } : {}),
    inputSchema: toSchema(listed, reader.validate),
    ...(tool.outputSchema ? { outputSchema: outputSchema(new GivenSchema(tool.outputSchema)) } : {}),
    ...(typeof tool.needsApproval === 'function' ? { needsApproval: run.approval(own) } : {}),
    execute: run.execute,
    toModelOutput: withReferencesShown(tool.toModelOutput),
  } as Tool
}

/** How one tool of the program is run. */
class ToolRun<Context> {
  constructor(
    private readonly set: ProgramTools<Call<Context>>,
    private readonly name: string,
    private readonly tool: Runnable,
    private readonly schema: GivenSchema,
    private readonly registered: ProgramTool,
    private readonly reader: InputReader,
  ) {}

  readonly execute = (input: unknown, options: Options & { whole?: boolean }): unknown => {
    if (options?.whole) return this.#whole(input, options)
    return isStreaming(this.tool.execute)
      ? asStream(onValue => this.#answer(input, options, onValue))
      : this.#answer(input, options)
  }

  /** The same rule, about the values that the tool will work with. */
  approval(own: ProgramToolOptions): NonNullable<Tool['needsApproval']> {
    const rule = this.tool.needsApproval as (input: unknown, options: unknown) => unknown
    const inputSchema = () => this.schema.jsonSchema()
    const judge = this.set.approval({ name: this.name, inputSchema }, own)
    return async (input, options) => {
      if (!this.registered.holdsReferences(input)) return Boolean(await rule(input, options))
      const asked = this.#asked(await this.reader.read(input), options)
      return judge(asked, async filled => rule(await this.schema.parse(filled), options))
    }
  }

  async #answer(input: unknown, options: Options, onValue = (_: unknown) => {}): Promise<unknown> {
    const read = await this.reader.read(input)
    const answer = await this.registered.call({
      ...this.#asked(read, options),
      work: this.#work(read, options, onValue),
      isSmallToModel: result => this.#isSmallToModel(result, input, options),
    })
    return answer.kind === 'result' ? answer.result : answer.reference
  }

  async #whole(input: unknown, { whole: _, ...options }: Options & { whole?: boolean }): Promise<unknown> {
    const read = await this.reader.read(input)
    return this.registered.value({ ...this.#asked(read, options), work: this.#work(read, options) })
  }

  #asked(
    read: ReadInput,
    options: Pick<Options, 'toolCallId'> & Partial<Options>,
  ): Omit<ProgramCall, 'work'> {
    const { toolCallId, context, abortSignal } = options
    const caller = this.set.callerOf({ toolName: this.name, toolCallId, context: context as Context })
    return { ...read, input: read.own, caller, signal: abortSignal }
  }

  #work({ parsed }: ReadInput, options: Options, onValue = (_: unknown) => {}): ProgramWork {
    return async (filled, task) => {
      const input = parsed === undefined ? await this.schema.parse(filled) : parsed
      return lastOf(this.tool.execute(input, forTask(options, task)), onValue)
    }
  }

  /** What a tool's author shows the model may be short, although the result is not. */
  async #isSmallToModel(output: unknown, input: unknown, { toolCallId }: Options): Promise<boolean> {
    const { toModelOutput } = this.tool
    if (!toModelOutput || isReturnedResult(output)) return false
    return this.set.isSmall(wordsIn(await toModelOutput({ toolCallId, input, output })))
  }
}

const tasks = new WeakMap<object, TaskContext>()

/** The SDK's own options for the call, and the signal of the work: that outlives the call. */
function forTask(options: Options, task: TaskContext): Options {
  const own = { ...options, abortSignal: task.signal }
  tasks.set(own, task)
  return own
}

/**
 * The task that a tool of `withReferences` works for, by the options that its `execute` was called with: to report progress,
 * which the model is told with the handle. Undefined where the tool is called without the cache.
 */
export function taskOf(options: object): TaskContext | undefined {
  return tasks.get(options)
}

function rerunOf(tool: Runnable, schema: GivenSchema): ProgramWork {
  return async (filled, task) => {
    const options: Options = { toolCallId: task.refId, messages: [], context: undefined }
    return lastOf(tool.execute(await schema.parse(filled), forTask(options, task)), () => {})
  }
}

/** Tools of a client of MCP say in their metadata what their server says of them. */
function hintsOf({ metadata }: Tool): { readOnlyHint: boolean; idempotentHint: boolean } {
  const annotations = metadata?.annotations as Record<string, unknown> | undefined
  return {
    readOnlyHint: annotations?.readOnlyHint === true,
    idempotentHint: annotations?.idempotentHint === true,
  }
}

function noted(description: Tool['description']): Tool['description'] {
  return typeof description === 'function'
    ? options => withNote(description(options), TOOL_NOTE)
    : withNote(description, TOOL_NOTE)
}

/** Conversations that were stored are checked against it. */
function outputSchema(own: GivenSchema): Tool['outputSchema'] {
  return toSchema(
    async () => answerSchema(await own.jsonSchema()),
    async output => (isReference(output) ? { success: true, value: output } : own.validate(output)),
  )
}

function ownTool<Context>(set: ProgramTools<Call<Context>>, tool: OwnTool): Tool {
  const { name, description, inputSchema } = tool
  return {
    description,
    inputSchema: toSchema(() => inputSchema),
    execute: (args: unknown, { toolCallId, context, abortSignal }: Options) =>
      set.callOwn(tool, args, { toolName: name, toolCallId, context: context as Context }, abortSignal),
    toModelOutput: ({ output }: Parameters<ToModelOutput>[0]) => ownModelOutput(output),
  } as Tool
}
