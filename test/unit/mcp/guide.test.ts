import { describe, expect, it } from 'vitest'
import { ownTools } from '../../../src/agent/tools/own-tools.ts'
import { REVISIONS, scene } from './scene.ts'

const none = ({ registerTool }: { registerTool: unknown }) => void registerTool

for (const [revision, era] of REVISIONS) {
  describe(`the guide, ${revision}`, () => {
    it('is a prompt where the author asked for it, and speaks of every tool', async () => {
      const { cache, client } = await scene({ era, attach: { guide: true }, tools: none })
      const { prompts } = await client.listPrompts()
      expect(prompts).toMatchObject([{ name: 'refcache_guide', title: 'How to work with references' }])
      const { messages } = await client.getPrompt({ name: 'refcache_guide' })
      expect(messages).toMatchObject([{ role: 'user', content: { type: 'text' } }])
      const { text } = messages[0]!.content as { text: string }
      expect(ownTools(cache).filter(({ name }) => !text.includes(name))).toEqual([])
    })

    it('is not there otherwise, nor are prompts', async () => {
      const { client } = await scene({ era, tools: none })
      expect(client.getServerCapabilities()).not.toHaveProperty('prompts')
    })

    it('stands beside the prompts of the author', async () => {
      const { client } = await scene({
        era,
        attach: { guide: true },
        before: server =>
          void server.registerPrompt('own', {}, () => ({
            messages: [{ role: 'user', content: { type: 'text', text: 'own' } }],
          })),
        tools: none,
      })
      expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['own', 'refcache_guide'])
    })
  })
}
