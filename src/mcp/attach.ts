import { randomUUID } from 'node:crypto'
import type { CallToolResult, McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Actor } from '../access/actor.ts'
import { TOOL_LISTING_OPTIONS } from '../agent/caching.ts'
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
import { clientInfoOf, type TaskCall, taskCallIn } from './tasks/calls.ts'
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
  const { resources: servesResources = true } = options
  const limits = new ClientLimits(options, { servesResources })
  const { adminCheck } = options
  const identity: IdentityOptions = { actorOf: options.actorOf }
  const known = new Set<string>()
  watchOtherTools(server.server, cache, name => known.has(name))
  const tasks = serveTasks(server, cache, options, identity, limits)
  const authored = new Set<string>()
  if (servesResources) serveResources(server, cache, identity, limits, name => authored.has(name))
  const exports = options.exportDir === undefined ? undefined : new ExportFolder(options.exportDir)
  for (const tool of ownTools(cache, options, exports)) {
    known.add(tool.name)
    const { asTask } = tool
    const registered = registerOwn(server, cache, tool, identity, (args, request, context) => {
      const { caller, signal, onProgress } = request
      const { actor } = caller
      const taken = limits.of(clientInfoOf(server.server, context))
      const isLocal = context.http === undefined
      const call = { actor, signal, onProgress, isLocal, servesResources, limits: taken }
      const task = asTask && taskCallIn(context)
      return task ? callAsTask(asTask, args, call, task) : tool.handle(args, call)
    })
    if (!tasks || !asTask) continue
    tasks.declare(tool.name, { support: 'optional', present: asTask.present })
    registered.execution = { taskSupport: 'optional' }
  }
  if (adminCheck) {
    for (const tool of adminTools(cache)) {
      known.add(tool.name)
      registerOwn(server, cache, tool, identity, (args, { caller }, context) =>
        tool.handle(args, { actor: caller.actor, isAdmin: () => adminCheck(context) }),
      )
    }
  }
  return {
    registerTool: (name, given, handler) => {
      const config = withSchemas(given)
      const scoping = scopingOf(config, options)
      checkNames<object>(config, TOOL_CONFIG, `Tool '${name}'`)
      if (known.has(name)) throw new InvalidArgument(`This server has a tool '${name}' already.`)
      if (scoping.sessionScoped) identity.directSession ??= `%process-${randomUUID()}`
      const registration = { name, config, handler, options, scoping, identity, tasks, limits }
      const registered = registerCached(server, cache, registration)
      known.add(name)
      authored.add(name)
      return registered
    },
  }
}

function withSchemas({ inputSchema, outputSchema, ...config }: ToolConfig): SchemaToolConfig {
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

/** A tool of this package. */
function registerOwn(
  server: McpServer,
  cache: RefCache,
  { name, title, description, annotations, inputSchema }: OwnTool | AdminTool,
  identity: IdentityOptions,
  handle: (args: unknown, request: ToolRequest, context: ServerContext) => Promise<ToolResult>,
): RegisteredTool {
  const listed = ownSchema(cache, { name, description, inputSchema })
  const shown = { title, description, annotations, inputSchema: listed }
  return server.registerTool(name, shown, (args, context) =>
    handleToolCall(context, identity, request => handle(args, request, context), {
      onError: error => {
        const task = taskCallIn(context)
        if (task) task.outcome = { error }
      },
    }),
  )
}
