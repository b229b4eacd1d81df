import type { RefId } from '../core/ref.ts'
import { ALIVE, OWNERS, TASKS_OF } from './redis-scripts.ts'
import type { RedisServer } from './redis-server.ts'
import { TASKS_AT_ONCE, type TaskOwner } from './store.ts'

/** Which processes have tasks in flight, and their signs of life: of each, when it was, by the server's clock. */
export class RedisOwners {
  constructor(private readonly server: RedisServer) {}

  async beat(cacheName: string, process: string): Promise<void> {
    await this.server.run(ALIVE, cacheName, [process])
  }

  async list(cacheName: string): Promise<TaskOwner[]> {
    const found = (await this.server.run(OWNERS, cacheName, [])) as Array<[Buffer, Buffer | null, number]>
    return found.map(([process, beat, running]) => ({
      process: process.toString(),
      running,
      ...(beat ? { beat: Number(beat) } : {}),
    }))
  }

  async *tasksOf(cacheName: string, process: string): AsyncGenerator<RefId[]> {
    for (let after = ''; ; ) {
      const args = [process, after, String(TASKS_AT_ONCE)]
      const ids = ((await this.server.run(TASKS_OF, cacheName, args)) as Buffer[]).map(String)
      if (ids.length > 0) yield ids.map(id => `${cacheName}:${id}`)
      after = ids.at(-1) ?? ''
      if (ids.length < TASKS_AT_ONCE) return
    }
  }
}
