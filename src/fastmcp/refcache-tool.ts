import type { FastMCPSessionAuth, Tool, ToolParameters } from 'fastmcp'
import { asListed, splitArguments } from '../agent/arguments.ts'
import { cachingDefaults, checked, projectionFor, withToolLimit } from '../agent/caching.ts'
import { TOOL_NOTE, withNote } from '../agent/instructions.ts'
import { ClientLimits } from '../agent/limits.ts'
import { changedSchema, lengthOf } from '../agent/listed.ts'
import { checkEnvelope, claimFor, presentCall } from '../agent/present.ts'
import {
  type AuthorSchema,
  answerSchema,
  argumentsOf,
  converterOf,
  declared,
  readerOf,
} from '../agent/schema.ts'
import { checkScoping, placeCall, scopingOf } from '../agent/scoping.ts'
import { InvalidArgument } from '../core/errors.ts'
import { adaptHandler, checkHandler, type Handler } from '../core/handler.ts'
import type { JsonObject } from '../core/json.ts'
import { checkNames, givenOptions } from '../core/options.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import type { ToolOptions } from '../core/tool-options.ts'
import type { CachedTool } from '../flow/call/options.ts'
import type { RefCache } from '../ref-cache.ts'
import { type ArgumentsOf, type RefcacheToolConfig, TOOL_CONFIG } from './config.ts'
import type { RequestContext } from './identity.ts'
import { handleToolCall } from './request.ts'

/**
 * A tool for `server.addTool` whose calls go through the cache: large results become previews and slow ones become
 * handles, which agents follow with the tools of `addPollingTools`.
 */
export function refcacheTool<
  Session extends FastMCPSessionAuth = FastMCPSessionAuth,
  Parameters extends ToolParameters | undefined = undefined,
  Output extends ToolParameters | undefined = undefined,
>(cache: RefCache, config: RefcacheToolConfig<Session, Parameters, Output>): Tool<Session> {
  const { name, parameters, outputSchema, envelope } = config
  checkNames<object>(config, TOOL_CONFIG, `Tool '${name}'`)
  checkScoping(config)
  checkEnvelope(config)
  const clients = new ClientLimits(config)
  checkHandler(config.execute, `Tool '${name}'`)
  const result = outputSchema && resultSchemaOf(outputSchema, name)
  const shown = shownTool(cache, config, result, clients)
  const handler = adaptHandler(config.execute, outputSchema, execute => {
    const inRequest: Handler<ArgumentsOf<Parameters>, unknown> = (args, task, context) =>
      execute(args, task, context as RequestContext<Session> | undefined)
    return checked(inRequest, outputSchema)
  })
  // Answers are JSON, whatever the handler's own type.
  const call = cache.cached(toolOptions(config, result), handler) as CachedTool<ArgumentsOf<Parameters>>
  const declares = argumentsOf(parameters)
  const read = readerOf(parameters)
  return {
    ...shown,
    execute: (args, context) =>
      handleToolCall(
        { tool: name, args },
        context,
        config.actorOf,
        async ({ caller, signal, onProgress, openContext }) => {
          const { own, responseFormat, fresh, asReference } = splitArguments(args, declares)
          // The tool's own schema vouches for the type, inside of the call.
          const input = (parameters ? read(own) : {}) as ArgumentsOf<Parameters>
          const place = placeCall(scopingOf(config, {}), caller)
          const { actor } = caller
          const claim = claimFor(envelope)
          const local = openContext
          const limits = clients.of(context.client.version)
          const options = {
            actor,
            limits,
            asReference,
            responseFormat,
            fresh,
            signal,
            onProgress,
            local,
            ...claim,
            ...place,
          }
          const response = await call(input, options)
          return presentCall(response, { envelope, hasOutputSchema: result !== undefined, limits })
        },
        { hasOutputSchema: result !== undefined },
      ),
  }
}

/** The cache's share of a tool's config. */
function toolOptions<
  Session extends FastMCPSessionAuth,
  Parameters extends ToolParameters | undefined,
  Output extends ToolParameters | undefined,
>(
  config: RefcacheToolConfig<Session, Parameters, Output>,
  result: JsonObject | undefined,
): ToolOptions<ArgumentsOf<Parameters>> {
  const { description, annotations, canAccess, _meta, parameters, outputSchema, ...rest } = config
  const {
    execute,
    actorOf,
    envelope,
    inlineLimit,
    answerCeiling,
    profile,
    notes,
    listReserved,
    namespaceTemplate,
    ownerTemplate,
    sessionScoped,
    ...caching
  } = givenOptions(rest)
  return {
    ...cachingDefaults(annotations),
    projection: projectionFor(envelope),
    ...caching,
    preview: withToolLimit(caching.preview, _meta),
    ...(parameters ? { input: parameters as StandardSchema<ArgumentsOf<Parameters>> } : {}),
    ...(result ? { outputSchema: result } : {}),
  }
}

const NO_ARGUMENTS: JsonObject = { type: 'object', properties: {} }
const NO_PARAMETERS = declared(() => NO_ARGUMENTS)

/** What clients see of a tool: the author's words and schemas, and how to follow its references. */
function shownTool<Session extends FastMCPSessionAuth>(
  cache: RefCache,
  config: Omit<RefcacheToolConfig<Session>, 'execute'>,
  result: JsonObject | undefined,
  clients: ClientLimits,
): Omit<Tool<Session>, 'execute'> {
  const { name, description, annotations, canAccess, _meta, notes = false } = config
  const noted = notes ? withNote(description, TOOL_NOTE) : description
  return {
    name,
    ...(noted === undefined ? {} : { description: noted }),
    parameters: listedParameters(cache, config, clients, lengthOf(noted) - lengthOf(description)),
    ...(result ? { outputSchema: declared(() => answerSchema(result)) } : {}),
    ...(annotations ? { annotations } : {}),
    ...(canAccess ? { canAccess } : {}),
    ...(_meta ? { _meta } : {}),
  }
}

/** What clients are shown of the arguments. fastmcp lists its tools before it says to whom: only a profile by name counts here. */
function listedParameters<Session extends FastMCPSessionAuth>(
  cache: RefCache,
  { name, parameters, resolveRefs, listReserved = false }: Omit<RefcacheToolConfig<Session>, 'execute'>,
  clients: ClientLimits,
  noted: number,
): ToolParameters {
  const shown = parameters ? shownAsJson(parameters) : NO_ARGUMENTS
  const passing = parameters ? unchecked(parameters, name) : NO_PARAMETERS
  if (!shown) return passing
  const admitsReferences = resolveRefs !== false && clients.listsReferences(undefined)
  return changedSchema(
    cache,
    () => shown,
    own => asListed(own, { admitsReferences, listReserved }),
    noted,
  )
}

/** Undefined: only fastmcp knows how to show it. */
function shownAsJson(schema: ToolParameters): JsonObject | undefined {
  try {
    return converterOf(schema as AuthorSchema, 'input', 'It')()
  } catch {
    return undefined
  }
}

/** @throws InvalidArgument for a schema that no agent could be shown */
function resultSchemaOf(schema: ToolParameters, name: string): JsonObject {
  return converterOf(schema as AuthorSchema, 'output', `The outputSchema of '${name}'`)()
}

/**
 * The author's schema as fastmcp shows it to clients, while anything passes: arguments are checked behind fastmcp, so
 * that a bad one gets a coded error, and a reference may stand for any value.
 */
function unchecked(schema: ToolParameters, name: string): ToolParameters {
  const standard = schema['~standard']
  if (typeof standard?.validate !== 'function') {
    throw new InvalidArgument(
      `The parameters of '${name}' must be a Standard Schema, such as z.object({ … }), or jsonSchemaAdapter({ … }) of fastmcp.`,
    )
  }
  // Whatever else fastmcp's converters look for, they find on the schema itself.
  const passing = Object.create(standard, { validate: { value: (value: unknown) => ({ value }) } })
  return Object.create(schema, { '~standard': { value: passing } })
}
