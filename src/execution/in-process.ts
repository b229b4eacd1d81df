import type { RefId } from '../core/ref.ts'
import type { Runner } from './runner.ts'

interface Running {
  controller: AbortController
  done: Promise<void>
}

/** Runs handlers on this process's event loop. */
export function inProcessRunner(): Runner {
  const running = new Map<RefId, Running>()
  return {
    isLocal: true,
    start(refId, perform) {
      const controller = new AbortController()
      const done = perform(refId, controller.signal).finally(() => {
        if (running.get(refId)?.controller === controller) running.delete(refId)
      })
      running.set(refId, { controller, done })
    },
    abort(refId, reason) {
      running.get(refId)?.controller.abort(reason)
    },
    runs(refId) {
      return running.has(refId)
    },
    async idle() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done))
    },
    async close(reason) {
      for (const { controller } of running.values()) controller.abort(reason)
      await this.idle()
    },
  }
}
