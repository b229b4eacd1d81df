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
    async close(reason) {
      const all = [...running.values()]
      for (const { controller } of all) controller.abort(reason)
      await Promise.all(all.map(({ done }) => done))
    },
  }
}
