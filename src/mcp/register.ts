import type { McpServer, RegisteredTool } from '@modelcontextprotocol/server'
import { InvalidArgument, TaskFailed } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import { type StandardSchema, validate } from '../core/standard-schema.ts'
import type { Handler, ToolOptions } from '../core/tool.ts'
import type { CachedTool, RefCache } from '../ref-cache.ts'
import { splitArguments } from './arguments.ts'
import type { AttachOptions, ToolConfig } from './config.ts'
import type { IdentityOptions } from './identity.ts'
import { TOOL_NOTE } from './instructions.ts'
import { answer, type ToolRequest } from './request.ts'
import { type AuthorSchema, answerSchema, converterOf, declared } from './schema.ts'
import { checkScoping, placeCall, type Scoping } from './scoping.ts'
import { type ToolResult, toToolResult } from './wire.ts'

interface Registration<Input, Output> {
  readonly name: string
  readonly config: ToolConfig
  readonly handler: Handler<Input, Output>
  readonly options: AttachOptions
  readonly scoping: Scoping
  readonly identity: IdentityOptions
}

/** How the calls of one tool go through the cache. */
interface Route<Input> {
  readonly call: CachedTool<Input>
  readonly scoping: Scoping
  readonly takesArguments: boolean
}

/** Registers the tool in the cache, and on the server what clients see of it. */
export function registerCached<Input, Output>(
  server: McpServer,
  cache: RefCache,
  registration: Registration<Input, Output>,
): RegisteredTool {
  const { name, config, handler, scoping, identity } = registration
  const { inputSchema, outputSchema } = config
  checkScoping(config)
  const result = outputSchema && resultSchemaOf(outputSchema, name)
  const shown = shownConfig(name, config, result)
  const call = cache.cached<Input>(
    toolOptions<Input>(registration, result),
    outputSchema ? checked(handler, outputSchema) : handler,
  )
  const route = { call, scoping, takesArguments: inputSchema !== undefined }
  return server.registerTool(name, shown, (args, context) =>
    answer(context, identity, request => callTool(route, args, request)),
  )
}

async function callTool<Input>(
  { call, scoping, takesArguments }: Route<Input>,
  args: unknown,
  { caller, signal, onProgress }: ToolRequest,
): Promise<ToolResult> {
  const { own, responseFormat } = splitArguments(args)
  // The tool's own schema vouches for the type, inside of the call.
  const input = (takesArguments ? own : {}) as Input
  const { actor } = caller
  const place = placeCall(scoping, caller)
  return toToolResult(await call(input, { actor, responseFormat, signal, onProgress, ...place }))
}

/** The cache's share of a tool's config. */
function toolOptions<Input>(
  { name, config, options }: Registration<Input, unknown>,
  result: JsonObject | undefined,
): ToolOptions<Input> {
  const { title, description, icons, scopeChallenge, _meta, annotations, ...own } = config
  const { inputSchema, outputSchema, namespaceTemplate, ownerTemplate, sessionScoped, ...caching } = own
  const { readOnlyHint = false, idempotentHint = false } = annotations ?? {}
  return {
    asyncTimeout: options.asyncTimeout ?? '20s',
    memoize: readOnlyHint && idempotentHint,
    idempotent: readOnlyHint || idempotentHint,
    ...caching,
    name,
    ...(inputSchema ? { input: inputSchema as StandardSchema<unknown> as StandardSchema<Input> } : {}),
    ...(result ? { outputSchema: result } : {}),
  }
}

const NO_ARGUMENTS = { type: 'object', properties: {} }

/** What clients see of a tool: the author's words and schemas, and how to follow its references. */
function shownConfig(name: string, config: ToolConfig, result: JsonObject | undefined) {
  const { title, icons, scopeChallenge, _meta, annotations, inputSchema, description } = config
  return {
    ...(title === undefined ? {} : { title }),
    ...(icons ? { icons } : {}),
    ...(scopeChallenge ? { scopeChallenge } : {}),
    ...(_meta ? { _meta } : {}),
    ...(annotations ? { annotations } : {}),
    description: description === undefined ? TOOL_NOTE : `${description}\n\n${TOOL_NOTE}`,
    inputSchema: declared(
      inputSchema ? converterOf(inputSchema, 'input', `The inputSchema of '${name}'`) : () => NO_ARGUMENTS,
    ),
    ...(result ? { outputSchema: declared(() => answerSchema(result)) } : {}),
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

/** Clients hold an answer against the declared schema: a result that breaks it is the tool's failure, at once. */
function checked<Input>(handler: Handler<Input, unknown>, schema: AuthorSchema): Handler<Input, unknown> {
  return async (input, task) => {
    const result = await handler(input, task)
    try {
      return await validate(schema as StandardSchema<unknown>, result, 'The result of the tool')
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error
      throw new TaskFailed(`${error.message} It has to match the outputSchema that the tool declares.`)
    }
  }
}
