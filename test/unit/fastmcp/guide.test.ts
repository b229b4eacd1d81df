import { expect, it } from 'vitest'
import { scene } from './scene.ts'

it('the guide is a prompt of fastmcp where the author asked for it', async () => {
  const { client } = await scene(() => {}, {}, { guide: true }).connect()
  expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'refcache_guide' }])
  const { messages } = await client.getPrompt({ name: 'refcache_guide' })
  expect(messages).toMatchObject([{ content: { text: expect.stringContaining('query_cached_result') } }])
})

it('there is none otherwise', async () => {
  const { client } = await scene(() => {}).connect()
  expect(client.getServerCapabilities()).not.toHaveProperty('prompts')
})
