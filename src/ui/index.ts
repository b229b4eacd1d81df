import { type Actor, type ActorLike, describeActor, describedActor, toActor } from '../access/actor.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { RefCache } from '../ref-cache.ts'
import { ActorSights } from './server/actor-sight.ts'
import { EventStreams } from './server/events.ts'
import { json, problem } from './server/http.ts'
import { PageFiles } from './server/page-files.ts'
import { answer } from './server/routes.ts'

/** Options of `uiHandler`. */
export interface UiHandlerOptions {
  /**
   * Who looks, by your own authentication. Undefined: nobody who may, and the answer is 401. Never `actor.system()`: that is no request's.
   * For a page that is open it is asked again every minute: where it says something else, the stream of events ends.
   */
  readonly actor: (request: Request) => ActorLike | undefined | Promise<ActorLike | undefined>
  /** @defaultValue the system's */
  readonly clock?: Clock
}

/** A fetch handler: for `Bun.serve`, Deno, Hono, Next.js; for node:http by `toNodeHandler` of `@modelcontextprotocol/node`. */
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
  const files = new PageFiles(new URL('../../dist/ui/page/', import.meta.url))
  const streams = new EventStreams(clock)
  const sights = new ActorSights(cache, clock)
  const handle = async (request: Request): Promise<Response> => {
    try {
      const actor = await whoAsks(request, actorOf)
      if (!actor) return json({ code: 'unauthorized', message: UNAUTHORIZED }, 401)
      const name = describeActor(actor)
      const isStillIn = async () => {
        const now = await whoAsks(request, actorOf)
        return now !== undefined && describeActor(now) === name
      }
      const looker = { sight: sights.of(actor), name, isStillIn }
      return await answer(request, looker, { files, streams, clock })
    } catch (error) {
      return problem(error)
    }
  }
  return Object.assign(handle, { close: () => streams.close() })
}

const UNAUTHORIZED = 'You are not signed in, or may not look at this. Sign in, and open the page again.'

/**
 * A copy of the actor: what was checked is what is used, whatever becomes of the object of the program.
 * @throws InvalidArgument
 */
async function whoAsks(request: Request, actorOf: UiHandlerOptions['actor']): Promise<Actor | undefined> {
  // Programs in JavaScript say null for nobody, too.
  const who = (await actorOf(request)) ?? undefined
  if (who === undefined) return undefined
  const actor = toActor(describedActor(describeActor(toActor(who))))
  if (actor.type !== 'system') return actor
  throw new InvalidArgument('`actor.system()` is the program itself, and never who makes a request.')
}
