import type {
  InputRequiredResult,
  McpServer,
  RegisteredTool,
  ServerContext,
} from '@modelcontextprotocol/server'
import { asListed, splitArguments } from '../agent/arguments.ts'
import { CACHING_OPTIONS, cachingDefaults, checked, projectionFor, withToolLimit } from '../agent/caching.ts'
import { TOOL_NOTE, withNote } from '../agent/instructions.ts'
import type { ClientLimits } from '../agent/limits.ts'
import { changedSchema, lengthOf } from '../agent/listed.ts'
import { checkEnvelope, claimFor, type Envelope, presentCall } from '../agent/present.ts'
import type { ToolRequest } from '../agent/request.ts'
import {
  type AuthorSchema,
  answerSchema,
  argumentsOf,
  converterOf,
  declared,
  readerOf,
} from '../agent/schema.ts'
import { checkScoping, placeCall, type Scoping } from '../agent/scoping.ts'
import type { ToolResult } from '../agent/wire.ts'
import type { AnswerLimits } from '../core/answer-limits.ts'
import { adaptHandler, checkHandler, type Handler } from '../core/handler.ts'
import type { JsonObject } from '../core/json.ts'
import { checkChoice, givenOf } from '../core/options.ts'
import { keepable } from '../core/protocol-error.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import type { ToolOptions } from '../core/tool-options.ts'
import type { CachedTool } from '../flow/call/options.ts'
import type { RefCache } from '../ref-cache.ts'
import type { AttachOptions, SchemaToolConfig, ToolHandler } from './config.ts'
import type { IdentityOptions } from './identity.ts'
import { handleToolCall } from './request.ts'
import { isInputRequired } from './sdk-shapes.ts'
import { clientInfoOf, TASK_SUPPORT, type TaskCall, type TaskCalls, taskCallIn } from './tasks/calls.ts'

interface Registration<Input, Output, Local> {
  readonly name: string
  readonly config: SchemaToolConfig
  readonly handler: ToolHandler<Input, Output, Local>
  readonly options: AttachOptions
  readonly scoping: Scoping
  readonly identity: IdentityOptions
  /** Absent where tasks of MCP are not served. */
  readonly tasks: TaskCalls | undefined
  readonly limits: ClientLimits
}

/** How the calls of one tool go through the cache. */
interface Route<Input> {
  readonly call: CachedTool<Input>
  readonly scoping: Scoping
  readonly takesArguments: boolean
  readonly envelope: Envelope | undefined
  readonly hasOutputSchema: boolean
  readonly prepare: SchemaToolConfig['prepare']
  /** Whether the tool has an argument of that name. */
  readonly declares: (argument: string) => boolean
  /** What was sent, as the tool's schema means it. */
  readonly read: (args: unknown) => unknown
}

/** Registers the tool in the cache, and on the server what clients see of it. */
export function registerCached<Input, Output, Local>(
  server: McpServer,
  cache: RefCache,
  registration: Registration<Input, Output, Local>,
): RegisteredTool {
  const { name, config, options, identity, tasks } = registration
  const { outputSchema } = config
  const taskSupport = checkChoice(config.taskSupport, TASK_SUPPORT, 'taskSupport') ?? 'optional'
  checkScoping(config)
  checkEnvelope(config)
  checkHandler(registration.handler, `Tool '${name}'`)
  const result = outputSchema && resultSchemaOf(outputSchema, name)
  const shown = shownConfig(cache, name, config, result, options, () =>
    registration.limits.listsReferences(server.server.getClientVersion()),
  )
  const route = routeOf(cache, registration, result)
  const registered = server.registerTool(name, shown, (args, context) => {
    const task = taskCallIn(context)
    const limits = registration.limits.of(clientInfoOf(server.server, context))
    const work = (request: ToolRequest<ServerContext>) =>
      callTool(route, args, { ...request, context, task, limits })
    return handleToolCall({ name, args, server: server.server }, context, identity, work, {
      onError: error => {
        if (task) task.outcome = { error }
      },
      hasOutputSchema: route.hasOutputSchema,
    })
  })
  tasks?.declare(name, { support: taskSupport, envelope: route.envelope })
  // The SDK's own config has no place for it.
  if (tasks && taskSupport !== 'none') registered.execution = { taskSupport }
  return registered
}

/** @param result the schema of the tool's results */
function routeOf<Input, Output, Local>(
  cache: RefCache,
  registration: Registration<Input, Output, Local>,
  result: JsonObject | undefined,
): Route<Input> {
  const { config, options, scoping } = registration
  const { inputSchema, outputSchema, prepare } = config
  const output = outputSchema as StandardSchema<unknown> | undefined
  const handler = adaptHandler(registration.handler, output, given =>
    throwingKeepable(checked(inRequest(given), output)),
  )
  return {
    // Answers are JSON, whatever the handler's own type.
    call: cache.cached<Input>(toolOptions<Input>(registration, result), handler) as CachedTool<Input>,
    scoping,
    takesArguments: inputSchema !== undefined,
    envelope: config.envelope ?? options.envelope,
    hasOutputSchema: result !== undefined,
    prepare,
    declares: argumentsOf(inputSchema),
    read: readerOf(inputSchema),
  }
}

interface CallRequest extends ToolRequest<ServerContext> {
  readonly context: ServerContext
  readonly task: TaskCall | undefined
  /** What the client can take. */
  readonly limits: AnswerLimits
}

async function callTool<Input>(
  { call, scoping, takesArguments, envelope, hasOutputSchema, prepare, declares, read }: Route<Input>,
  args: unknown,
  { caller, signal, onProgress, openContext, context, task, limits }: CallRequest,
): Promise<ToolResult | InputRequiredResult> {
  const { actor } = caller
  const { own, responseFormat, fresh, asReference } = splitArguments(args, declares)
  const given = takesArguments ? read(own) : {}
  const prepared = prepare ? await prepare((given ?? {}) as Record<string, unknown>, context) : given
  if (isInputRequired(prepared)) return prepared
  const [stored, local] = prepare && Array.isArray(prepared) ? prepared : [prepared]
  // The tool's own schema vouches for the type, inside of the call.
  const input = stored as Input
  const place = placeCall(scoping, caller)
  const response = await call(input, {
    actor,
    limits,
    responseFormat,
    fresh,
    asReference,
    signal,
    // Whoever turns the call away wants its work no more, unless somebody else waits for it.
    cancelsWork: true,
    onProgress,
    local: (): RequestLocal => ({ context: openContext(), local }),
    ...claimFor(envelope),
    ...place,
    ...task?.options,
  })
  if (task) task.outcome = { response, actor }
  return presentCall(response, { envelope, hasOutputSchema, limits })
}

/** The cache's share of a tool's config. */
function toolOptions<Input>(
  { name, config, options }: Registration<Input, unknown, never>,
  result: JsonObject | undefined,
): ToolOptions<Input> {
  const { annotations, inputSchema, envelope, preview, _meta } = config
  return {
    ...cachingDefaults(annotations),
    projection: projectionFor(envelope ?? options.envelope),
    ...(options.asyncTimeout === undefined ? undefined : { asyncTimeout: options.asyncTimeout }),
    ...givenOf(config, CACHE_SHARE),
    preview: withToolLimit(preview, _meta),
    name,
    input: inputSchema as StandardSchema<unknown> as StandardSchema<Input>,
    outputSchema: result,
  }
}

const CACHE_SHARE = { ...CACHING_OPTIONS, asyncTimeout: true, namespace: true } as const

const NO_ARGUMENTS = { type: 'object', properties: {} }

/** What clients see of a tool: the author's words and schemas, and how to follow its references. */
function shownConfig(
  cache: RefCache,
  name: string,
  config: SchemaToolConfig,
  result: JsonObject | undefined,
  { listReserved = false, notes = false }: AttachOptions,
  listsReferences: () => boolean,
) {
  const { title, icons, scopeChallenge, _meta, annotations, inputSchema, description } = config
  const input = inputSchema
    ? converterOf(inputSchema, 'input', `The inputSchema of '${name}'`)
    : () => NO_ARGUMENTS
  const noted = notes ? withNote(description, TOOL_NOTE) : description
  const admits = () => config.resolveRefs !== false && listsReferences()
  return {
    ...(title === undefined ? undefined : { title }),
    ...(icons ? { icons } : undefined),
    ...(scopeChallenge ? { scopeChallenge } : undefined),
    ...(_meta ? { _meta } : undefined),
    ...(annotations ? { annotations } : undefined),
    ...(noted === undefined ? undefined : { description: noted }),
    inputSchema: changedSchema(
      cache,
      input,
      own => asListed(own, { admitsReferences: admits(), listReserved }),
      lengthOf(noted) - lengthOf(description),
    ),
    ...(result ? { outputSchema: declared(() => answerSchema(result)) } : undefined),
  }
}

/** Converted once: over HTTP the tools are registered for every request. */
const resultSchemas = new WeakMap<AuthorSchema, JsonObject>()

function resultSchemaOf(schema: AuthorSchema, name: string): JsonObject {
  const converted =
    resultSchemas.get(schema) ?? converterOf(schema, 'output', `The outputSchema of '${name}'`)()
  resultSchemas.set(schema, converted)
  return converted
}

/** What a call of the adapter gives its handler; none where no call of this process started the run. */
interface RequestLocal {
  readonly context: ServerContext | undefined
  /** What `prepare` gave for this process alone. */
  readonly local: unknown
}

/** The handler as the cache runs it. */
function inRequest<Input, Output, Local>(handler: ToolHandler<Input, Output, Local>): Handler<Input, Output> {
  return (input, task, given) => {
    const { context, local } = (given ?? {}) as Partial<RequestLocal>
    return handler(input, task, context, local as Local | undefined)
  }
}

/** Errors of the protocol reach the cache in terms that it can keep. */
function throwingKeepable<Input>(handler: Handler<Input, unknown>): Handler<Input, unknown> {
  return async (input, task, local) => {
    try {
      return await handler(input, task, local)
    } catch (error) {
      throw keepable(error)
    }
  }
}
