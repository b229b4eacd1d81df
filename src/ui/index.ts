import { type Actor, type ActorLike, describeActor, toActor } from '../access/actor.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { RefCache } from '../ref-cache.ts'
import { ActorSight } from './server/actor-sight.ts'
import { EventStreams } from './server/events.ts'
import { json, problem } from './server/http.ts'
import { PageFiles } from './server/page-files.ts'
import { answer } from './server/routes.ts'

/** Options of `uiHandler`. */
export interface UiHandlerOptions {
  /**
   * Who looks, by your own authentication. Undefined: nobody who may, and the answer is 401. Never `actor.system()`: that is no request's.
   */
  readonly actor: (request: Request) => ActorLike | undefined | Promise<ActorLike | undefined>
  /** @defaultValue the system's */
  readonly clock?: Clock
}

/** A fetch handler: for `Bun.serve`, Deno, Hono, Next.js, or node:http with a few lines (docs/live-page.md). */
export interface UiHandler {
  (request: Request): Promise<Response>
  /** Ends the streams of the pages that are open. */
  close(): void
}

/**
 * The live page, as a fetch handler behind your own authentication, on any path. It shows what the actor of a request may know, read
 * and do, and no more: lists have what it had made itself, and each answer is authorized as any other way to the cache is.
 * @throws InvalidArgument
 */
export function uiHandler(cache: RefCache, options: UiHandlerOptions): UiHandler {
  const { actor: actorOf, clock = systemClock } = options
  if (typeof actorOf !== 'function') {
    throw new InvalidArgument(
      '`actor` says who looks: a function that gives the actor of a request, or undefined.',
    )
  }
  const files = new PageFiles(new URL('./page/', import.meta.url))
  const streams = new EventStreams(clock)
  const handle = async (request: Request): Promise<Response> => {
    try {
      const who = await actorOf(request)
      if (who === undefined) return json({ code: 'unauthorized', message: UNAUTHORIZED }, 401)
      const actor = checkedActor(who)
      const looker = { sight: new ActorSight(cache, actor), name: describeActor(actor) }
      return await answer(request, looker, { files, streams, clock })
    } catch (error) {
      return problem(error)
    }
  }
  return Object.assign(handle, { close: () => streams.close() })
}

const UNAUTHORIZED = 'You are not signed in, or may not look at this. Sign in, and open the page again.'

/** @throws InvalidArgument */
function checkedActor(who: ActorLike): Actor {
  const actor = toActor(who)
  if (actor.type !== 'system') return actor
  throw new InvalidArgument('`actor.system()` is the program itself, and never who makes a request.')
}
