/**
 * A salary table that an agent computes with and never sees: two users, an agent of each, and a mean.
 *
 *     npm run build && node examples/private-computation/client.ts     (Node 22.18 or newer runs TypeScript itself)
 *
 * Ends well only if all of it was really seen, and nothing of what is private.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { AccessPolicy, actor, PermissionDenied, RefCache } from 'mcp-refcache'
import { attachRefCache } from 'mcp-refcache/mcp'
import { z } from 'zod'

interface Row {
  name: string
  salary: number
}

const cache = new RefCache({ name: 'hr' })

/** The tools that agents get. Their arguments may be references: the values take their places where the handler runs. */
function server() {
  const mcp = new McpServer({ name: 'hr', version: '1.0.0' })
  const { registerTool } = attachRefCache(mcp, cache, { envelope: 'always' })
  const rows = z.array(z.object({ name: z.string(), salary: z.number() }))
  registerTool(
    'mean_salary',
    {
      description: 'The mean salary of a table of at least five people.',
      inputSchema: z.object({ table: rows.min(5) }),
      // One number of five people or more tells nobody's salary: whoever may only use the table may see it.
      declassifies: true,
    },
    ({ table }) => table.reduce((sum, { salary }) => sum + salary, 0) / table.length,
  )
  registerTool(
    'top_earners',
    {
      description: 'The best paid people of a table.',
      inputSchema: z.object({ table: rows, n: z.number() }),
    },
    ({ table, n }) => [...table].sort((a, b) => b.salary - a.salary).slice(0, n),
  )
  registerTool('strict', { inputSchema: z.object({ table: rows }) }, ({ table }) => {
    throw new Error(`cannot work with ${JSON.stringify(table[0])}`)
  })
  registerTool(
    'days_off',
    { description: 'How many days off the caller has left.' },
    // The request's token is never stored. Where the request is over there is no context, and nobody to ask for.
    (_, task, context) => daysOff(context?.http?.authInfo?.token, task.actor.id),
  )
  return mcp
}

/** Stands for another service, which is asked with the caller's own token. */
function daysOff(token: string | undefined, caller: string | undefined): string {
  if (token === undefined) throw new Error('The request is over: call the tool again.')
  return `${caller} has ${token.length} days off`
}

// Who calls is what the token says, never what an argument says. A real server verifies the token here.
const handler = toNodeHandler(createMcpHandler(server))
const http = createServer((request, response) => {
  const sub = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const authInfo = { token: sub, clientId: 'example', scopes: [], extra: { sub } }
  const authenticated = Object.assign(request, { auth: authInfo }) as Parameters<typeof handler>[0]
  void handler(authenticated, response)
})
await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)

const said: string[] = []
async function agentOf(user: string) {
  const client = new Client({ name: `agent of ${user}`, version: '1.0.0' })
  const requestInit = { headers: { authorization: `Bearer ${user}` } }
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }))
  const call = async (name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args })
    said.push(JSON.stringify(answer))
    console.log(`agent of ${user}: ${name} →`, JSON.stringify(answer.structuredContent).slice(0, 150))
    return answer.structuredContent as {
      ref_id: string
      value?: unknown
      is_complete?: boolean
      error?: { code: string }
    }
  }
  return { call, close: () => client.close() }
}

// Alice, a person at the host program, puts the table in. Her agent may use it, and not see it.
const alice = actor.user({ id: 'alice' })
const people: Row[] = [48_111, 52_222, 61_333, 75_444, 90_555].map((salary, n) => ({ name: `p${n}`, salary }))
const { refId: table } = await cache.set('salaries', people, {
  namespace: 'user:alice',
  policy: AccessPolicy.executeOnly,
  actor: alice,
})

const hers = await agentOf('alice')
const his = await agentOf('bob')

// The agent cannot read the table…
assert.equal((await hers.call('get_cached_result', { ref_id: table })).error?.code, 'permission_denied')
// …but it can compute with it.
assert.equal((await hers.call('mean_salary', { table })).value, 65_533)

// What tells of the table is as private as the table, however small: the agent gets a reference to it.
const top = await hers.call('top_earners', { table, n: 1 })
assert.equal(top.is_complete, false)
assert.equal(top.value, undefined)
assert.equal((await hers.call('get_cached_result', { ref_id: top.ref_id })).error?.code, 'permission_denied')
// Alice herself may see it.
assert.deepEqual(await cache.resolve(top.ref_id, { actor: alice }), [people[4]])
await assert.rejects(cache.resolve(top.ref_id, { actor: actor.agent({ id: 'alice' }) }), PermissionDenied)

// A handler knows whose request it works for.
assert.equal((await hers.call('days_off', {})).value, 'alice has 5 days off')
assert.equal((await his.call('days_off', {})).value, 'bob has 3 days off')

// An error that speaks of the table does not reach the agent either.
await hers.call('strict', { table })

// For anybody else there is no such table, and no such result: the answer is that for a made-up reference.
const madeUp = `hr:${'0'.repeat(32)}`
for (const tool of ['mean_salary', 'top_earners']) {
  const [foreign, unknown] = [
    await his.call(tool, { table, n: 1 }),
    await his.call(tool, { table: madeUp, n: 1 }),
  ]
  assert.deepEqual(foreign, unknown)
  assert.equal(foreign.error?.code, 'not_found')
}
assert.equal((await his.call('get_cached_result', { ref_id: top.ref_id })).error?.code, 'not_found')

// As a number of its own: the digits of a random reference may hold one, too.
for (const { salary } of people) assert.ok(!said.some(answer => new RegExp(`\\b${salary}\\b`).test(answer)))
await Promise.all([hers.close(), his.close(), cache.close()])
http.close()
console.log('All was seen: a mean of salaries, by an agent that saw none of them.')
