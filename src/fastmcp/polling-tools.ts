import type { FastMCP, FastMCPSessionAuth } from 'fastmcp'
import { ClientLimits } from '../agent/limits.ts'
import { ownSchema } from '../agent/listed.ts'
import { ownTools } from '../agent/tools/own-tools.ts'
import { InvalidArgument } from '../core/errors.ts'
import { checkNames } from '../core/options.ts'
import { ExportFolder } from '../export/folder.ts'
import type { RefCache } from '../ref-cache.ts'
import { type FastMcpPollingOptions, POLLING_OPTIONS } from './config.ts'
import { isDirect } from './identity.ts'
import { handleToolCall } from './request.ts'

/**
 * Adds `get_cached_result`, `cancel_task` and `retry_task`, through which agents follow the references of all tools that
 * `refcacheTool` made of this cache, and `edit_cached_result`, by which they change what they pass on.
 *
 * fastmcp takes instructions at construction only: `new FastMCP({ …, instructions: SERVER_INSTRUCTIONS })`.
 */
export function addPollingTools<Session extends FastMCPSessionAuth>(
  server: Pick<FastMCP<Session>, 'addTool'>,
  cache: RefCache,
  options: FastMcpPollingOptions<Session> = {},
): void {
  if (typeof server?.addTool !== 'function') {
    throw new InvalidArgument(
      'addPollingTools(server, cache) takes a FastMCP server of the package fastmcp (npm install fastmcp).',
    )
  }
  checkNames<object>(options, POLLING_OPTIONS, 'addPollingTools')
  const clients = new ClientLimits(options)
  const exports = options.exportDir === undefined ? undefined : new ExportFolder(options.exportDir)
  for (const { title, inputSchema, handle, ...tool } of ownTools(cache, options, exports)) {
    server.addTool({
      ...tool,
      annotations: { ...tool.annotations, title },
      parameters: ownSchema(cache, { name: tool.name, description: tool.description, inputSchema }),
      execute: (args, context) =>
        handleToolCall(
          { tool: tool.name, args },
          context,
          options.actorOf,
          ({ caller, signal, onProgress }) =>
            handle(args, {
              actor: caller.actor,
              signal,
              onProgress,
              isLocal: isDirect(context),
              limits: clients.of(context.client.version),
            }),
        ),
    })
  }
}
