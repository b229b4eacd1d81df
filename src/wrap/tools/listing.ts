import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../core/json.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ToolCatalog } from './catalog.ts'

/** How long a call waits for the tools to be listed first, and how many pages are read. */
const LISTING_MS = 3_000
const MAX_PAGES = 100

/** Asks the server for its tools where the client has not: what they declare of themselves decides how they are cached. */
export class ToolListing {
  #running: Promise<void> | undefined

  constructor(
    private readonly catalog: ToolCatalog,
    private readonly upstream: Upstream,
  ) {}

  /**
   * Resolves when all tools are known, or when that takes too long: a server that cannot list its tools, or takes its time, may
   * still run them. Never rejects.
   */
  async complete(meta: JsonObject | undefined, signal: AbortSignal): Promise<void> {
    if (this.catalog.complete) return
    this.#running ??= this.#listAll(meta).finally(() => {
      this.#running = undefined
    })
    await Promise.race([this.#running.catch(() => {}), pause(LISTING_MS, signal)])
  }

  async #listAll(meta: JsonObject | undefined): Promise<void> {
    const base = meta ? { _meta: meta } : {}
    let cursor: JsonObject = {}
    for (let page = 0; !this.catalog.complete; page++) {
      if (page === MAX_PAGES) return this.catalog.giveUp()
      const response = await this.upstream.request('tools/list', { ...base, ...cursor })
      // Asking with each call would not change its mind.
      const listed = 'result' in response ? response.result : {}
      this.catalog.learn(listed)
      cursor = listed.nextCursor === undefined ? {} : { cursor: listed.nextCursor }
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal, ref: false }).catch(() => {})
}
