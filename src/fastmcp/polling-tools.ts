import type { ContentResult, Context, FastMCP, FastMCPSessionAuth } from 'fastmcp'
import { GUIDE, GUIDE_NAME, guideText } from '../agent/guide.ts'
import { ClientLimits } from '../agent/limits.ts'
import { ownSchema } from '../agent/listed.ts'
import { type AdminTool, adminTools } from '../agent/tools/admin.ts'
import { ownTools } from '../agent/tools/own-tools.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import { InvalidArgument } from '../core/errors.ts'
import { checkNames } from '../core/options.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'
import { type FastMcpPollingOptions, POLLING_OPTIONS } from './config.ts'
import { isDirect } from './identity.ts'
import { handleToolCall } from './request.ts'

/**
 * Adds `get_cached_result`, `cancel_task` and `retry_task`, through which agents follow the references of all tools that
 * `refcacheTool` made of this cache, and `edit_cached_result`, by which they change what they pass on. With an `adminCheck` it adds the
 * admin tools, too.
 *
 * fastmcp takes instructions at construction only: `new FastMCP({ …, instructions: SERVER_INSTRUCTIONS })`.
 */
export function addPollingTools<Session extends FastMCPSessionAuth>(
  server: Pick<FastMCP<Session>, 'addTool' | 'addPrompt'>,
  cache: RefCache,
  options: FastMcpPollingOptions<Session> = {},
): void {
  if (typeof server?.addTool !== 'function') {
    throw new InvalidArgument(
      'addPollingTools(server, cache) takes a FastMCP server of the package fastmcp (npm install fastmcp).',
    )
  }
  checkNames<object>(options, POLLING_OPTIONS, 'addPollingTools')
  const { exportDir, actorOf, adminCheck } = options
  const clients = new ClientLimits(options)
  const exports = exportDir === undefined ? undefined : new ExportFolder(exportDir)
  const add = adder(server, cache)
  for (const tool of ownTools(cache, options, exports)) {
    add(tool, (args, context) =>
      handleToolCall({ tool: tool.name, args }, context, actorOf, ({ caller, signal, onProgress }) =>
        tool.handle(args, {
          actor: caller.actor,
          signal,
          onProgress,
          isLocal: isDirect(context),
          limits: clients.of(context.client.version),
        }),
      ),
    )
  }
  if (options.guide) {
    const { description } = GUIDE
    server.addPrompt({ name: GUIDE_NAME, description, load: async () => guideText() })
  }
  if (!adminCheck) return
  for (const tool of adminTools(cache)) {
    add(tool, (args, context) =>
      handleToolCall({ tool: tool.name, args }, context, actorOf, ({ caller }) =>
        tool.handle(args, { actor: caller.actor, isAdmin: () => adminCheck(context.session, context) }),
      ),
    )
  }
}

/** Adds tools of this package to a server, as fastmcp takes them. */
function adder<Session extends FastMCPSessionAuth>(
  server: Pick<FastMCP<Session>, 'addTool'>,
  cache: RefCache,
) {
  return (
    { name, title, description, annotations, inputSchema }: OwnTool | AdminTool,
    execute: (args: unknown, context: Context<Session>) => Promise<ContentResult>,
  ) =>
    server.addTool({
      name,
      description,
      annotations: { ...annotations, title },
      parameters: ownSchema(cache, { name, description, inputSchema }),
      execute,
    })
}
