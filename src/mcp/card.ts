import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import { type CardTools, cardUri, readCard, showsCards, withCard } from '../agent/card.ts'
import { capabilitiesIn } from '../agent/tasks/capabilities.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import type { RefCache } from '../ref-cache.ts'
import { canInterpose, interpose } from './interpose.ts'

const TOOLS: CardTools = { get: 'get_cached_result', cancel: 'cancel_task', retry: 'retry_task' }

/** The progress card of a server: which tools have it, and which clients are told so. */
export class ProgressCard {
  readonly #uri: string
  readonly #tools = new Set<string>()
  readonly #isPossible: boolean

  /** Before the server has handlers of these requests: this stands around them. */
  constructor(
    private readonly mcp: McpServer,
    cache: RefCache,
  ) {
    this.#uri = cardUri(cache.name)
    const { server } = mcp
    this.#isPossible = canInterpose(server, 'tools/list') && canInterpose(server, 'resources/list')
    if (!this.#isPossible) return
    interpose(server, 'tools/list', async (_, context, proceed) => {
      const listed = await proceed(context)
      return this.#isShownTo(context) ? this.#withCards(listed) : listed
    })
    // Clients that show it know of it by the tools.
    interpose(server, 'resources/list', async (_, context, proceed) => {
      const listed = await proceed(context)
      const resources = listed.resources as ReadonlyArray<{ uri: string }>
      return { ...listed, resources: resources.filter(({ uri }) => uri !== this.#uri) }
    })
  }

  /** From now on the calls of this tool have the card. @throws InvalidArgument */
  add(toolName: string): void {
    if (!this.#isPossible) {
      throw new InvalidArgument(
        `'${toolName}' cannot have a card: the server has tools or resources already. Call attachRefCache before the server's first registerTool and registerResource.`,
      )
    }
    if (this.#tools.size === 0) this.#register()
    this.#tools.add(toolName)
  }

  #register(): void {
    this.mcp.registerResource('progress_card', this.#uri, {}, async (_, { mcpReq }) => {
      const read = await readCard(this.#uri, TOOLS, mcpReq.envelope !== undefined)
      return read as { contents: Array<{ uri: string; text: string }> }
    })
  }

  #isShownTo({ mcpReq: { envelope } }: ServerContext): boolean {
    if (this.#tools.size === 0) return false
    return showsCards(
      envelope === undefined ? this.mcp.server.getClientCapabilities() : capabilitiesIn({ ...envelope }),
    )
  }

  #withCards({ tools, ...listed }: Record<string, unknown>): Record<string, unknown> {
    const shown = (tools as JsonObject[]).map(tool =>
      this.#tools.has(String(tool.name)) ? withCard(tool, this.#uri) : tool,
    )
    return { ...listed, tools: shown }
  }
}
