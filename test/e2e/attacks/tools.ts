import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'
import type { Gates } from './gates.ts'
import type { Secret } from './secret.ts'

/** A tool under attack: the same one behind every door. */
export interface Target extends Omit<ToolOptions, 'input' | 'outputSchema'> {
  readonly name: string
  readonly schema: z.ZodObject
  // biome-ignore lint/suspicious/noExplicitAny: each handler knows what its own schema gave it
  handler(input: any, task: TaskContext): unknown
}

const anything = z.object({ value: z.unknown() })
const nothing = z.object({})
type Tree = Tree[] | { a: Tree } | number | string
const tree: z.ZodType<Tree> = z.lazy(() =>
  z.union([z.array(tree), z.object({ a: tree }), z.number(), z.string()]),
)
const gated = z.object({ gate: z.string(), value: z.unknown().optional() })

/** Honest tools of an honest author, careless with words: they repeat what they are given wherever they can. */
export function targets(secret: Secret, gates: Gates): Target[] {
  const all = [...repeating(gates), ...producing(secret, gates), ...checking()]
  // The widest way in: references within values are followed, too.
  return all.map(target => ({ resolveRefs: 'deep', ...target }))
}

function repeating(gates: Gates): Target[] {
  const echo = ({ value }: { value: unknown }) => value
  return [
    { name: 'echo', schema: anything, memoize: false, handler: echo },
    { name: 'echo_named', schema: anything, memoize: false, resolveRefs: true, handler: echo },
    { name: 'public_echo', schema: anything, namespace: 'public', memoize: true, handler: echo },
    { name: 'store', schema: anything, memoize: false, resolveRefs: false, handler: echo },
    {
      name: 'store_public',
      schema: anything,
      namespace: 'public',
      memoize: false,
      resolveRefs: false,
      handler: echo,
    },
    {
      name: 'many',
      schema: anything,
      memoize: false,
      handler: ({ value }) => Array.from({ length: 2_000 }, (_, n) => ({ n, value })),
    },
    {
      name: 'explode',
      schema: z.object({ value: z.unknown(), how: z.string() }),
      memoize: false,
      handler: explode,
    },
    {
      name: 'narrate',
      schema: gated,
      memoize: false,
      async handler({ gate, value }, task) {
        task.progress(1, 2, `working on ${JSON.stringify(value)}`)
        await gates.pass(gate)
        return value
      },
    },
    {
      name: 'narrate_handle',
      schema: gated,
      memoize: false,
      asyncTimeout: 0,
      async handler({ gate, value }, task) {
        task.progress({ message: `working on ${JSON.stringify(value)}` })
        await gates.pass(gate)
        throw new Error(`no luck with ${JSON.stringify(value)}`)
      },
    },
    {
      name: 'inspect',
      schema: anything,
      memoize: false,
      handler: ({ value }) => ({
        plain: Object.getPrototypeOf(value) === Object.prototype,
        admin: value.admin ?? null,
        polluted: ({} as Record<string, unknown>).admin ?? null,
      }),
    },
    { name: 'unserializable', schema: anything, memoize: false, handler: ({ value }) => withBigInt(value) },
    {
      name: 'mean',
      schema: z.object({ rows: z.array(z.number()) }),
      memoize: false,
      declassifies: true,
      handler: ({ rows }) => rows.reduce((sum: number, row: number) => sum + row, 0) / rows.length,
    },
    { name: 'echo_handle', schema: anything, memoize: false, asyncTimeout: 0, handler: echo },
    {
      name: 'wait',
      schema: gated,
      memoize: false,
      asyncTimeout: 0,
      handler: async ({ gate, value }) => {
        await gates.pass(gate)
        return value ?? null
      },
    },
    {
      name: 'sum',
      schema: z.object({ rows: z.record(z.string(), z.number()) }),
      memoize: false,
      declassifies: true,
      handler: ({ rows }) => Object.values(rows as Record<string, number>).reduce((sum, row) => sum + row, 0),
    },
    {
      name: 'public_handle',
      schema: anything,
      namespace: 'public',
      memoize: true,
      asyncTimeout: 0,
      handler: echo,
    },
    { name: 'tree', schema: z.object({ value: tree }), memoize: false, handler: echo },
    {
      name: 'wait_public',
      schema: gated,
      namespace: 'public',
      memoize: false,
      asyncTimeout: 0,
      handler: ({ gate }) => gates.pass(gate),
    },
    {
      name: 'ask_handle',
      schema: anything,
      memoize: false,
      asyncTimeout: 0,
      async handler({ value }, task) {
        // Its caller has a handle by then: what is asked at once is the call's own answer.
        await nextTurn()
        return task.elicit({
          message: JSON.stringify(value),
          requestedSchema: { type: 'object', properties: {} },
        })
      },
    },
    { name: 'deep_result', schema: nothing, memoize: false, handler: () => nest(100_000) },
    { name: 'self', schema: nothing, memoize: false, handler: (_, task) => ({ me: task.refId }) },
  ]
}

/** A list in a list in a list, and so on; too deep for anything that calls itself. */
function nest(levels: number): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

/** The value once more, with something at its end that JSON cannot hold: the error says where that is. */
function withBigInt(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return 1n
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withBigInt(inner)]))
}

function explode({ value, how }: { value: unknown; how: string }): never {
  const words = JSON.stringify(value)
  switch (how) {
    case 'text':
      throw words
    case 'object':
      throw { toString: () => words, value }
    case 'cause':
      throw new Error('the upstream failed', { cause: new Error(words) })
    case 'coded':
      throw new InvalidArgument(words)
    case 'name':
      throw Object.assign(new Error('it failed'), { name: words, code: words, value })
    default:
      throw new Error(words)
  }
}

/** These make the secret themselves, for whoever calls them first. */
function producing(secret: Secret, gates: Gates): Target[] {
  let minted = 0
  const mint = () => (minted++ === 0 ? secret.value : { run: minted })
  const { executeOnly } = AccessPolicy
  return [
    { name: 'mint', schema: anything, memoize: true, handler: mint },
    {
      name: 'mint_private',
      schema: anything,
      namespace: 'public',
      policy: executeOnly,
      memoize: true,
      handler: mint,
    },
    {
      name: 'hold',
      schema: gated,
      memoize: true,
      asyncTimeout: 0,
      async handler({ gate }, task) {
        const first = minted++ === 0
        task.progress(1, 2, first ? secret.text : 'working')
        await gates.pass(gate)
        return first ? secret.value : 'done'
      },
    },
    {
      name: 'hold_private',
      schema: gated,
      namespace: 'public',
      policy: executeOnly,
      memoize: true,
      handler: failing(secret, gates),
    },
    {
      name: 'hold_private_handle',
      schema: gated,
      namespace: 'public',
      policy: executeOnly,
      memoize: true,
      asyncTimeout: 0,
      handler: failing(secret, gates),
    },
    {
      name: 'grow_handle',
      schema: gated,
      memoize: true,
      asyncTimeout: 0,
      handler: growing(secret, gates),
    },
    {
      name: 'grow_private_handle',
      schema: gated,
      namespace: 'public',
      policy: executeOnly,
      memoize: true,
      asyncTimeout: 0,
      handler: growing(secret, gates),
    },
    {
      name: 'grow_of_handle',
      schema: gated,
      memoize: false,
      asyncTimeout: 0,
      async handler({ gate, value }, task) {
        await task.append([value, value])
        await gates.pass(gate)
        throw new Error(`no luck with ${JSON.stringify(value)}`)
      },
    },
    {
      name: 'hold_public',
      schema: gated,
      namespace: 'public',
      memoize: true,
      asyncTimeout: 0,
      async handler({ gate }) {
        await gates.pass(gate)
        return 'for all'
      },
    },
    {
      name: 'flaky',
      schema: gated,
      memoize: true,
      asyncTimeout: 0,
      async handler({ gate }, task) {
        await gates.pass(gate)
        throw new Error(`attempt ${task.attempt}: ${secret.text}`)
      },
    },
  ]
}

function failing(secret: Secret, gates: Gates): Target['handler'] {
  return async ({ gate }, task) => {
    task.progress(1, 2, secret.text)
    await gates.pass(gate)
    throw new Error(`could not read ${secret.text}`, { cause: new Error(secret.text) })
  }
}

/** Appends the secret between two gates, and fails in the end. */
function growing(secret: Secret, gates: Gates): Target['handler'] {
  return async ({ gate }, task) => {
    await gates.pass(`${gate} before`)
    await task.append([secret.value, secret.text, secret.number])
    await gates.pass(gate)
    throw new Error(`could not read more than ${secret.text}`)
  }
}

/** Their schemas say in words what they were given. */
function checking(): Target[] {
  const echo = ({ value }: { value: unknown }) => value
  const refused = z.unknown().refine(() => false, { error: issue => `not ${JSON.stringify(issue.input)}` })
  return [
    { name: 'strict', schema: z.object({ value: z.strictObject({}) }), memoize: false, handler: echo },
    {
      name: 'record',
      schema: z.object({ value: z.record(z.string(), z.boolean()) }),
      memoize: false,
      handler: echo,
    },
    { name: 'quoting', schema: z.object({ value: refused }), memoize: false, handler: echo },
  ]
}
