import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { attachRefCache } from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { REVISIONS, scene } from '../scene.ts'

const info = { name: 'test', version: '1.0.0' }
const late = { capabilities: { tools: {} } }

describe('attaching, as far as native tasks go', () => {
  it('offers them in both revisions', () => {
    const server = new McpServer(info)
    attachRefCache(server, new RefCache())
    expect(server.server.getCapabilities()).toMatchObject({
      extensions: { 'io.modelcontextprotocol/tasks': {} },
      tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
    })
  })

  it('does not where they are not wanted', () => {
    const server = new McpServer(info)
    const { registerTool } = attachRefCache(server, new RefCache(), { tasks: false })
    expect(registerTool('t', {}, () => 1).execution).toBeUndefined()
    expect(server.server.getCapabilities()).not.toHaveProperty('tasks')
    expect(server.server.getCapabilities()).not.toHaveProperty('extensions')
  })

  it('does without them where the server has its tools already, unless they are demanded', () => {
    const server = new McpServer(info, late)
    attachRefCache(server, new RefCache())
    expect(server.server.getCapabilities()).not.toHaveProperty('tasks')
    expect(() => attachRefCache(new McpServer(info, late), new RefCache(), { tasks: true })).toThrow(
      'before the first tool is registered',
    )
  })

  it('leaves other extensions of the server as they are', () => {
    const server = new McpServer(info, { capabilities: { extensions: { 'example.com/mine': {} } } })
    attachRefCache(server, new RefCache())
    expect(server.server.getCapabilities().extensions).toHaveProperty(['example.com/mine'])
  })

  it('says at once what is wrong with a grace', () => {
    expect(() => attachRefCache(new McpServer(info), new RefCache(), { taskGrace: 'soon' as never })).toThrow(
      'taskGrace',
    )
  })
})

describe.each(REVISIONS)('prepare, on protocol revision %s', (_, era) => {
  it('completes the arguments, which then tell calls apart', async () => {
    let asked = 0
    const { call } = await scene({
      era,
      tools: ({ registerTool }) =>
        registerTool(
          'who',
          {
            inputSchema: z.object({ name: z.string(), turn: z.number().optional() }),
            memoize: true,
            namespace: 'public',
            prepare: args => ({ ...args, turn: ++asked }),
          },
          ({ name, turn }) => `${name} ${turn}`,
        ),
    })
    expect((await call('who', { name: 'Ada' })).body).toMatchObject({ value: 'Ada 1' })
    expect((await call('who', { name: 'Ada' })).body).toMatchObject({ value: 'Ada 2' })
  })

  it('is checked like arguments of the client', async () => {
    const { call } = await scene({
      era,
      tools: ({ registerTool }) =>
        registerTool(
          'who',
          { inputSchema: z.object({ name: z.string() }), prepare: () => ({ name: 7 }) },
          ({ name }) => name,
        ),
    })
    const { body, isError } = await call('who', { name: 'Ada' })
    expect([isError, body]).toMatchObject([true, { error: { code: 'invalid_argument' } }])
  })
})
