import { openInspector } from '../inspect/index.ts'
import type { RefCache } from '../ref-cache.ts'
import type { Store } from '../stores/store.ts'
import type { PageListener } from '../ui/server/listener.ts'
import { OperatorSight } from '../ui/server/operator-sight.ts'
import type { Log } from '../wrap/log.ts'
import { nameAtServer } from '../wrap/tools/names.ts'
import { servePage } from './serve-page.ts'

/** The live page of a wrapper, for whoever started it. @throws CommandFailed where the port is taken */
export function serveWrapPage(port: number, cache: RefCache, store: Store, log: Log): Promise<PageListener> {
  const sight = new OperatorSight({
    inspector: openInspector(store, { cache: cache.name, progressMessages: true }),
    cacheOf: () => cache,
    toolLabel: nameAtServer,
  })
  const tell = (url: string) =>
    log.info('ui', `The live page: ${url} (good for one browser, for ten minutes)`)
  return servePage(port, '--ui', () => sight, tell)
}
