import { randomUUID } from 'node:crypto'
import type { CallToolResult, McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Actor } from '../access/actor.ts'
import { TOOL_LISTING_OPTIONS } from '../agent/caching.ts'
import { GUIDE, GUIDE_NAME, guideText } from '../agent/guide.ts'
import { CLIENT_LIMIT_OPTIONS, ClientLimits } from '../agent/limits.ts'
import { ownSchema } from '../agent/listed.ts'
import { checkEnvelope } from '../agent/present.ts'
import type { ToolRequest } from '../agent/request.ts'
import { type AuthorSchema, type InputOf, type OutputOf, type RawShape, toSchema } from '../agent/schema.ts'
import { checkScoping, SCOPING, scopingOf } from '../agent/scoping.ts'
import { type AdminTool, adminTools } from '../agent/tools/admin.ts'
import { OWN_TOOL_OPTIONS, ownTools } from '../agent/tools/own-tools.ts'
import type { OwnTask, OwnTool, ToolContext } from '../agent/tools/tool.ts'
import type { ToolResult } from '../agent/wire.ts'
import type { AnswerLimits } from '../core/answer-limits.ts'
import { InvalidArgument } from '../core/errors.ts'
import { checkNames, type Names } from '../core/options.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'
import { ProgressCard } from './card.ts'
import {
  type AttachOptions,
  type SchemaToolConfig,
  TOOL_CONFIG,
  type ToolConfig,
  type ToolHandler,
} from './config.ts'
import type { IdentityOptions } from './identity.ts'
import { watchOtherTools } from './interpose.ts'
import { registerCached } from './register.ts'
import { handleToolCall } from './request.ts'
import { serveResources } from './resources.ts'
import { clientInfoOf, type TaskCall, type TaskCalls, taskCallIn } from './tasks/calls.ts'
import { serveTasks } from './tasks/serve.ts'

type ArgumentsOf<Input> = Input extends AuthorSchema
  ? OutputOf<Input>
  : Input extends RawShape
    ? z.output<z.ZodObject<Input>>
    : Record<string, never>
type ResultOf<Output> = Output extends AuthorSchema
  ? InputOf<Output>
  : Output extends RawShape
    ? z.input<z.ZodObject<Output>>
    : unknown

/** What `attachRefCache` gives: tools that go through the cache. */
export interface AttachedRefCache {
  /**
   * Registers a tool whose calls go through the cache. The handler gets the arguments, its task, and the request while it is open; it
   * returns a value, or a CallToolResult with content blocks.
   */
  registerTool<
    Input extends AuthorSchema | RawShape | undefined = undefined,
    Output extends AuthorSchema | RawShape | undefined = undefined,
    Local = undefined,
  >(
    name: string,
    config: ToolConfig<Input, Output, Local>,
    handler: ToolHandler<ArgumentsOf<Input>, ResultOf<Output> | CallToolResult, Local>,
  ): RegisteredTool
}

/**
 * Registers `get_cached_result`, `cancel_task`, `retry_task` and `edit_cached_result` on a server of the official SDK, and gives the
 * `registerTool` of tools whose large results become previews and whose slow ones become handles: tasks of MCP for clients that know
 * those, references to poll for all others. With an `adminCheck` it registers the admin tools, too.
 *
 * Where the server is made anew for every request, attach it there, and keep the cache outside. The SDK takes
 * instructions at construction only: `new McpServer(info, { instructions: SERVER_INSTRUCTIONS })`.
 */
export function attachRefCache(
  server: McpServer,
  cache: RefCache,
  options: AttachOptions = {},
): AttachedRefCache {
  checkServer(server)
  checkNames(options, OPTIONS, 'attachRefCache')
  checkScoping(options)
  checkEnvelope(options)
  const attachment = new Attachment(server, cache, options)
  return { registerTool: (name, config, handler) => attachment.registerTool(name, config, handler) }
}

/** A cache at one server, and what the tools that are registered through it share. */
class Attachment {
  readonly #identity: IdentityOptions
  readonly #limits: ClientLimits
  readonly #tasks: TaskCalls | undefined
  readonly #servesResources: boolean
  readonly #card: ProgressCard
  /** The tools of this package, and those that go through the cache. */
  readonly #known = new Set<string>()
  readonly #authored = new Set<string>()

  constructor(
    private readonly server: McpServer,
    private readonly cache: RefCache,
    private readonly options: AttachOptions,
  ) {
    const { resources: servesResources = true, actorOf, adminCheck } = options
    this.#identity = { actorOf }
    this.#servesResources = servesResources
    this.#limits = new ClientLimits(options, { servesResources })
    watchOtherTools(server.server, cache, name => this.#known.has(name))
    this.#card = new ProgressCard(server, cache)
    this.#tasks = serveTasks(server, cache, options, this.#identity, this.#limits)
    if (servesResources)
      serveResources(server, cache, this.#identity, this.#limits, name => this.#authored.has(name))
    this.#registerOwnTools()
    if (adminCheck) this.#registerAdminTools(adminCheck)
    if (options.guide) this.#registerGuide()
  }

  #registerOwnTools(): void {
    const { exportDir } = this.options
    const exports = exportDir === undefined ? undefined : new ExportFolder(exportDir)
    for (const tool of ownTools(this.cache, this.options, exports)) {
      const { asTask } = tool
      const registered = this.#registerOwn(tool, (args, request, context) => {
        const call = this.#callOf(request, context)
        const task = asTask && taskCallIn(context)
        return task ? callAsTask(asTask, args, call, task) : tool.handle(args, call)
      })
      if (!this.#tasks || !asTask) continue
      this.#tasks.declare(tool.name, { support: 'optional', present: asTask.present })
      registered.execution = { taskSupport: 'optional' }
    }
  }

  #registerAdminTools(adminCheck: NonNullable<AttachOptions['adminCheck']>): void {
    for (const tool of adminTools(this.cache))
      this.#registerOwn(tool, (args, { caller }, context) =>
        tool.handle(args, { actor: caller.actor, isAdmin: () => adminCheck(context) }),
      )
  }

  #registerGuide(): void {
    this.server.registerPrompt(GUIDE_NAME, GUIDE, () => ({
      messages: [{ role: 'user', content: { type: 'text', text: guideText() } }],
    }))
  }

  /** A tool of this package. */
  #registerOwn(
    { name, title, description, annotations, inputSchema }: OwnTool | AdminTool,
    handle: (args: unknown, request: ToolRequest, context: ServerContext) => Promise<ToolResult>,
  ): RegisteredTool {
    this.#known.add(name)
    const listed = ownSchema(this.cache, { name, description, inputSchema })
    const shown = { title, description, annotations, inputSchema: listed }
    const { server } = this.server
    return this.server.registerTool(name, shown, (args, context) =>
      handleToolCall(
        { name, args, server },
        context,
        this.#identity,
        request => handle(args, request, context),
        {
          onError: error => {
            const task = taskCallIn(context)
            if (task) task.outcome = { error }
          },
        },
      ),
    )
  }

  #callOf({ caller, signal, onProgress }: ToolRequest, context: ServerContext) {
    return {
      actor: caller.actor,
      signal,
      onProgress,
      isLocal: context.http === undefined,
      servesResources: this.#servesResources,
      limits: this.#limits.of(clientInfoOf(this.server.server, context)),
    }
  }

  registerTool<Input, Output, Local>(
    name: string,
    given: ToolConfig,
    handler: ToolHandler<Input, Output, Local>,
  ): RegisteredTool {
    const { options } = this
    const config = withSchemas(given)
    const scoping = scopingOf(config, options)
    checkNames<object>(config, TOOL_CONFIG, `Tool '${name}'`)
    if (this.#known.has(name)) throw new InvalidArgument(`This server has a tool '${name}' already.`)
    if (scoping.sessionScoped) this.#identity.directSession ??= `%process-${randomUUID()}`
    const registered = registerCached(this.server, this.cache, {
      name,
      config,
      handler,
      options,
      scoping,
      identity: this.#identity,
      tasks: this.#tasks,
      limits: this.#limits,
    })
    if (config.card ?? options.card) this.#card.add(name)
    this.#known.add(name)
    this.#authored.add(name)
    return registered
  }
}

function withSchemas(config: ToolConfig): SchemaToolConfig {
  const { inputSchema, outputSchema } = config
  return { ...config, inputSchema: toSchema(inputSchema), outputSchema: toSchema(outputSchema) }
}

const OPTIONS: Names<AttachOptions> = {
  ...OWN_TOOL_OPTIONS,
  ...TOOL_LISTING_OPTIONS,
  ...CLIENT_LIMIT_OPTIONS,
  ...SCOPING,
  envelope: true,
  asyncTimeout: true,
  actorOf: true,
  tasks: true,
  resources: true,
  card: true,
  guide: true,
  taskGrace: true,
  adminCheck: true,
}

/** Callers without types meet an error of the SDK otherwise, which says nothing of the cause. */
function checkServer(server: McpServer): void {
  // The `experimental` member is what only servers of v1 have.
  if (typeof server?.registerTool === 'function' && !('experimental' in server)) return
  throw new InvalidArgument(
    'attachRefCache(server, cache) takes an McpServer of @modelcontextprotocol/server (SDK v2; npm install @modelcontextprotocol/server). A server on @modelcontextprotocol/sdk (v1) stays as it is: put `mcp-refcache wrap` in front of it.',
  )
}

/** A call of a tool of this package that may become a task. */
async function callAsTask(
  tool: OwnTask,
  args: unknown,
  context: ToolContext & { actor: Actor; limits: AnswerLimits },
  task: TaskCall,
): Promise<ToolResult> {
  const response = await tool.start(args, context, task.options)
  task.outcome = { response, actor: context.actor }
  return tool.present(response, context.limits)
}
