/** What the types of `mcp-refcache/fastmcp` promise, against the installed fastmcp; compiled by `npm run types`. */
import { FastMCP, type Tool } from 'fastmcp'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { type ActorOf, addPollingTools, type RequestContext, refcacheTool } from '../../src/fastmcp/index.ts'
import { type Actor, actor, RefCache, type TaskContext } from '../../src/index.ts'

type User = { sub: string; role: 'admin' | 'guest' }

const cache = new RefCache()
const open = new FastMCP({ name: 'open', version: '1.0.0' })
const closed = new FastMCP<User>({
  name: 'closed',
  version: '1.0.0',
  authenticate: async () => ({ sub: 'alice', role: 'guest' }),
})

export function aServerTakesTheTool(): void {
  const parameters = z.object({ id: z.string(), depth: z.number().default(1) })
  open.addTool(
    refcacheTool(cache, {
      name: 'analyze',
      parameters,
      asyncTimeout: '3s',
      ttl: null,
      maxRetries: 3,
      execute: async (args, task, context) => {
        expectTypeOf(args).toEqualTypeOf<{ id: string; depth: number }>()
        expectTypeOf(task).toEqualTypeOf<TaskContext>()
        expectTypeOf(task.actor).toEqualTypeOf<Actor>()
        expectTypeOf(context).toEqualTypeOf<RequestContext | undefined>()
        return args.id.length
      },
    }),
  )
  const tool = refcacheTool(cache, { name: 'tick', execute: () => 'tock' })
  expectTypeOf(tool).toEqualTypeOf<Tool<Record<string, unknown> | undefined>>()
}

export function theSessionIsThatOfTheServer(): void {
  closed.addTool(
    refcacheTool(cache, {
      name: 'whoami',
      canAccess: session => session.role === 'admin',
      execute: (_args, _task, context) => {
        expectTypeOf(context?.session).toEqualTypeOf<User | undefined>()
        return context?.session?.sub ?? null
      },
    }),
  )
  const actorOf: ActorOf<User> = session => session && actor.agent({ id: session.sub })
  addPollingTools(closed, cache, {
    actorOf,
    maxWait: '25s',
    adminCheck: session => session?.role === 'admin',
  })
  addPollingTools(open, cache)
}

export function theResultIsWhatTheSchemaSays(): void {
  const outputSchema = z.object({ rows: z.array(z.number()) })
  refcacheTool(cache, { name: 'rows', outputSchema, execute: () => ({ rows: [1] }) })
  // @ts-expect-error the rows are missing
  refcacheTool(cache, { name: 'rows', outputSchema, execute: () => ({}) })
}

export function whatTheCacheDoesIsNotTheServersToDo(): void {
  // @ts-expect-error asyncTimeout ends the wait, and nothing ends the work
  refcacheTool(cache, { name: 'slow', timeoutMs: 1_000, execute: () => 'done' })
  // @ts-expect-error progress and signal are the task's: the call may be over
  refcacheTool(cache, { name: 'slow', execute: (_, __, context) => context?.reportProgress({ progress: 1 }) })
}
