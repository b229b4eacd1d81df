import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { z as previousZod } from 'zod/v3'
import { type RefcacheToolConfig, refcacheTool } from '../../../src/fastmcp/index.ts'
import { type Session, scene } from './scene.ts'

const parameters = z.object({
  rows: z.array(z.number()),
  filter: z.object({ by: z.string() }),
  name: z.string(),
})

async function listed(
  config: Partial<RefcacheToolConfig<Session>>,
): Promise<Record<string, { type: unknown }>> {
  const { connect } = scene((server, cache) =>
    server.addTool(
      refcacheTool<Session>(cache, { name: 't', parameters, execute: () => 1, ...config } as never),
    ),
  )
  const { client } = await connect()
  const { tools } = await client.listTools()
  return tools.find(({ name }) => name === 't')!.inputSchema.properties as never
}

describe('the arguments of a fastmcp tool, as they are listed', () => {
  it('admit a reference in the place of a list or an object', async () => {
    expect(await listed({})).toMatchObject({
      rows: { type: ['array', 'string'], items: { type: 'number' } },
      filter: { type: ['object', 'string'] },
      name: { type: 'string' },
    })
  })

  it.each<[string, Partial<RefcacheToolConfig<Session>>]>([
    ['takes none', { resolveRefs: false }],
    ['is for a client that cannot be shown them', { profile: 'gemini-cli' }],
  ])('do not where the tool %s', async (_, config) => {
    expect(await listed(config)).toMatchObject({ rows: { type: 'array' }, filter: { type: 'object' } })
  })

  it('have our own among them where that is wanted', async () => {
    expect(await listed({ listReserved: true })).toMatchObject({
      _fresh: { type: 'boolean' },
      _as_ref: { type: 'boolean' },
      name: { type: 'string' },
    })
    expect(Object.keys(await listed({}))).toEqual(['rows', 'filter', 'name'])
  })

  it('stay as they are where only fastmcp can show them', async () => {
    const parameters = previousZod.object({ rows: previousZod.array(previousZod.number()) })
    expect(await listed({ parameters } as never)).toMatchObject({ rows: { type: 'array' } })
  })
})
