import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { TaskInfo } from '../../flow/task-info.ts'
import { Changes } from './changes.ts'
import { gist, isSettled, toCoreTask } from './project.ts'
import { infoOf, type SeenTask } from './read.ts'

/** Follows a task for somebody who listens. */
export interface Following {
  /** Resolves when there is nothing more to tell: the task has settled, is gone, or was left. */
  readonly over: Promise<void>
  end(): void
}

/**
 * Tells `tell` how a task stands, first now and then whenever that changes, until it settles. Each time it is read
 * anew, and authorized by that. An error of `tell` ends it.
 */
export function followTask(task: SeenTask, tell: (info: TaskInfo) => Promise<void> | void): Following {
  let ended = false
  let changes: Changes | undefined
  const run = async () => {
    changes = await Changes.of(task)
    try {
      let told: string | undefined
      while (!ended) {
        const info = await infoOf(task)
        const latest = gist(info)
        if (latest !== told && !ended) await tell(info)
        told = latest
        if (isSettled(info)) return
        await changes.next()
      }
    } finally {
      changes.end()
    }
  }
  return {
    // Expired, deleted, or the store is away: whoever listens can still ask.
    over: run().catch(() => {}),
    end() {
      ended = true
      changes?.tell()
    },
  }
}

/** Tells a client of 2025-11-25 of its task, where its connection lasts longer than the request. */
export function tellStatus(server: Server, task: SeenTask, { http, sessionId }: ServerContext): void {
  if (http !== undefined && sessionId === undefined) return
  // After the answer that says which task this is.
  setImmediate(() => {
    const following = followTask(task, async info => {
      if (server.transport === undefined) return following.end()
      await server.notification({ method: 'notifications/tasks/status', params: toCoreTask(info) })
    })
  })
}
