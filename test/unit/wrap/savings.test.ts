import { afterEach, describe, expect, it } from 'vitest'
import { savingsText } from '../../../src/agent/savings-text.ts'
import type { TokenSavings } from '../../../src/core/token-savings.ts'
import { countTokens } from '../../../src/preview/preview.ts'
import { serverOf, Wired } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const log = Array.from({ length: 1_500 }, (_, n) => `line ${n}: something happened`).join('\n')

async function connect(text: string) {
  const result = JSON.stringify({ content: [{ type: 'text', text }] })
  const wired = await Wired.open(serverOf(() => result))
  open.push(wired)
  let id = 0
  const call = async (name: string, args: object = {}) => {
    const { structuredContent } = (await wired.poll(++id, name, args)) as never as {
      structuredContent: { ref_id: string; preview_size: number }
    }
    return structuredContent
  }
  const tokens = async () => (await wired.cache.stats()).savings as TokenSavings
  return { wired, call, tokens }
}

describe('what references saved and cost', () => {
  it('is nothing for what passes as it is', async () => {
    const { call, tokens } = await connect('small')
    await call('read')
    await call('read')
    expect(await tokens()).toBeUndefined()
  })

  it('counts our tools and instructions once they are listed', async () => {
    const { wired, tokens } = await connect('small')
    const { tools } = JSON.parse(await wired.ask('list', 'tools/list')).result
    const shown = tools.map((tool: Record<string, unknown>) =>
      JSON.stringify({ name: tool.name, description: tool.description, inputSchema: tool.inputSchema }),
    )
    const exact = await countTokens(shown.join(''))
    const { added, net } = await tokens()
    expect(Math.abs(added - exact)).toBeLessThan(exact * 0.35)
    expect(net).toBe(-added)
  })

  it('is what a preview keeps out, less the preview and all pages', async () => {
    const { call, tokens } = await connect(log)
    const size = await countTokens(log)
    const { ref_id, preview_size } = await call('read')
    const first = await tokens()
    expect(Math.abs(first.keptOut - size)).toBeLessThan(size * 0.2)
    expect(first.added).toBeGreaterThan(preview_size)
    expect(first.added).toBeLessThan(preview_size + 300)
    expect(first).toMatchObject({ pagedIn: 0, net: first.keptOut - first.added })

    const page = await call('get_cached_result', { ref_id, page: 1, max_size: 500 })
    const second = await tokens()
    expect(second).toMatchObject({ keptOut: first.keptOut, pagedIn: page.preview_size })

    await call('get_cached_result', { ref_id, full: true })
    const all = await tokens()
    // Wanted whole after all: it was not worth it.
    expect(all.pagedIn).toBeGreaterThan(size * 0.5)
    expect(all.net).toBe(all.keptOut - all.pagedIn - all.added)
    expect(all.net).toBeLessThan(second.net - size * 0.5)
  })

  it('counts no more than the client would have taken', async () => {
    const { call, tokens } = await connect(log.repeat(20))
    await call('read')
    expect((await tokens()).keptOut).toBe(25_000)
  })

  it('counts nothing of what a program reads', async () => {
    const { wired } = await connect('small')
    const { refId } = await wired.cache.set('k', log)
    await wired.cache.get(refId)
    await wired.cache.get(refId, { page: 1 })
    expect(await wired.cache.stats()).not.toHaveProperty('savings')
  })

  it('is one line in words, also where it was not worth it', () => {
    expect(savingsText({ keptOut: 41_000, pagedIn: 5_300, added: 1_900, net: 33_800 })).toBe(
      'Tokens, as estimated: 41,000 kept out, 5,300 paged in, 1,900 added; 33,800 saved.',
    )
    expect(savingsText({ keptOut: 0, pagedIn: 0, added: 900, net: -900 })).toContain('900 more than without')
  })
})
