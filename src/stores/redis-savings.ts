import type { TokenCounts } from '../core/token-savings.ts'
import { ADD_SAVINGS, SAVINGS } from './redis-scripts.ts'
import type { RedisServer } from './redis-server.ts'
import type { HourOfSavings } from './store.ts'

type Answered = [hour: Buffer, keptOut: Buffer, pagedIn: Buffer, added: Buffer]

/** What was saved and what it cost, by hour and cache. */
export class RedisSavings {
  constructor(private readonly server: RedisServer) {}

  async add(cacheName: string, hour: number, { keptOut, pagedIn, added }: TokenCounts): Promise<void> {
    await this.server.run(ADD_SAVINGS, cacheName, [hour, keptOut, pagedIn, added].map(String))
  }

  async since(from: number): Promise<HourOfSavings[]> {
    const caches = await this.server.caches()
    const found = await Promise.all(caches.map(cacheName => this.#ofCache(cacheName, from)))
    // By name they are in order already.
    return found.flat().sort((one, other) => one.hour - other.hour)
  }

  async #ofCache(cacheName: string, from: number): Promise<HourOfSavings[]> {
    const hours = (await this.server.run(SAVINGS, cacheName, [String(from)])) as Answered[]
    return hours.map(answered => {
      const [hour = 0, keptOut = 0, pagedIn = 0, added = 0] = answered.map(Number)
      return { cacheName, hour, keptOut, pagedIn, added }
    })
  }
}
