import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '../channels/channel.ts'
import { discoverRequest } from '../channels/discovery.ts'
import { isResponse } from '../rpc.ts'
import { Server2025 } from './server-2025.ts'
import { SharedServer } from './shared-server.ts'

/** A server that is slow to start must not be taken for one that knows no discovery. */
const PROBE_MS = 30_000

/** How callers without sessions reach what is wrapped. */
export interface StatelessConnections {
  /**
   * A channel that is not started yet.
   * @param strangers whether several clients, who know nothing of each other, come over it
   * @param owner the subject whose requests come over it; nothing where that is not known
   * @throws when the server cannot be started or reached
   */
  connect(strangers: boolean, owner: string | undefined): Promise<Channel>
  /** Whether all callers share one process. */
  isShared(): Promise<boolean>
}

/**
 * The ways to the wrapped server for clients of 2026-07-28: one process for all callers where the server speaks that
 * revision, else one for each caller.
 */
export class StatelessServers implements StatelessConnections {
  #shared: Promise<SharedServer | undefined> | undefined
  /** What was started to be asked, and is nobody's yet. */
  #spare: Channel | undefined

  constructor(private readonly open: () => Promise<Channel>) {}

  async connect(strangers: boolean, owner: string | undefined): Promise<Channel> {
    const shared = await this.#probed()
    if (shared) return shared.channel(owner)
    const started = this.#spare
    this.#spare = undefined
    return new Server2025({ open: this.open, started, strangers })
  }

  async isShared(): Promise<boolean> {
    return (await this.#probed()) !== undefined
  }

  #probed(): Promise<SharedServer | undefined> {
    this.#shared ??= this.#probe().catch(error => {
      // The next caller tries again.
      this.#shared = undefined
      throw error
    })
    return this.#shared
  }

  async #probe(): Promise<SharedServer | undefined> {
    const channel = await this.open()
    const answer = await discover(channel)
    if (answer === 'yes') return new SharedServer(this.open, channel)
    if (answer === 'no') this.#spare = channel
    else await channel.close()
    return undefined
  }
}

/** Starts the channel and asks; `gone`: it cannot be used for anything else then. @throws when the server cannot be started */
async function discover(channel: Channel): Promise<'yes' | 'no' | 'gone'> {
  const giveUp = new AbortController()
  const request = discoverRequest()
  const answered = new Promise<'yes' | 'no' | 'gone'>(resolve => {
    channel.onmessage = message => {
      if (isResponse(message) && message.id === request.id) resolve('result' in message ? 'yes' : 'no')
    }
    // Some servers end when they are asked before the handshake.
    channel.onclose = () => resolve('gone')
  })
  await channel.start()
  const late = sleep(PROBE_MS, 'gone' as const, { signal: giveUp.signal, ref: false }).catch(
    () => 'gone' as const,
  )
  const refused = channel.send(request).then(
    () => new Promise<never>(() => {}),
    () => 'gone' as const,
  )
  try {
    return await Promise.race([answered, late, refused])
  } finally {
    giveUp.abort()
  }
}
