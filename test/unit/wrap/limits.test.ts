import { afterEach, describe, expect, it } from 'vitest'
import type { ClientLimitOptions } from '../../../src/agent/limits.ts'
import { PROFILES } from '../../../src/agent/profiles.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { countTokens } from '../../../src/preview/preview.ts'
import type { ToolSettings } from '../../../src/wrap/settings.ts'
import { serverOf, Wired } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const text = (value: string) => ({ type: 'text', text: value })

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

interface Options {
  settings?: ToolSettings
  limits?: ClientLimitOptions
  clientName?: string
  tools?: JsonObject[]
}

/** A client of a server whose tools answer with what they are told. */
async function connect(
  results: Record<string, JsonObject>,
  { settings = {}, limits, clientName = 'c', tools = [] }: Options = {},
) {
  const serve = serverOf(line => JSON.stringify(results[JSON.parse(line).params.name]), JSON.stringify(tools))
  const wired = await Wired.open(serve, {
    settings: { defaults: settings, tools: {} },
    ...(limits ? { limits } : {}),
  })
  open.push(wired)
  const introduce = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: clientName, version: '1' },
  }
  await wired.ask('init', 'initialize', JSON.stringify(introduce))
  await wired.ask('list', 'tools/list')
  let id = 0
  const call = async (name: string, args: object = {}) =>
    (await wired.poll(++id, name, args)) as never as Answer
  return { call, wired }
}

/** A source file, whose text costs a good deal more where it is escaped. */
function file(lines: number): string {
  return Array.from(
    { length: lines },
    (_, n) => `\tif (a["key ${n}"] === "x") {\n\t\treturn "${n}"\n\t}`,
  ).join('\n')
}

const both = (value: string) => ({ content: [text(value)], structuredContent: { content: value } })

describe('a result', () => {
  it('passes exactly up to the inline limit, its text measured as a model reads it', async () => {
    const small = file(350)
    const tokens = await countTokens(small)
    expect(tokens).toBeGreaterThan(6_000)
    expect(tokens).toBeLessThanOrEqual(8_000)
    expect(await countTokens(JSON.stringify(small))).toBeGreaterThan(8_000)
    const { call } = await connect({ read: { content: [text(small)], _meta: { a: 1 } } })
    expect(await call('read')).toEqual({ content: [text(small)], _meta: { a: 1 } })
  })

  it('beyond it is previewed in at most a twelfth, but in no less than 300 tokens', async () => {
    const large = file(600)
    const { call } = await connect({ read: both(large), some: both(large) }, { settings: { inline: 1_000 } })
    const answer = await call('read')
    expect(answer.structuredContent).toMatchObject({ is_complete: false, ref_id: expect.any(String) })
    const size = await countTokens(large)
    expect(await countTokens(answer.content[0].text)).toBeLessThan(size / 12)
    const part = `${answer.structuredContent.ref_id}#L1-L300`
    const half = await call('get_cached_result', { ref_id: part })
    expect(half.structuredContent.preview_size).toBeGreaterThan(250)
  })

  it.each([
    ['--max-size', { maxSize: 500 }, 400, 500],
    ['nothing', {}, 200, 300],
  ])('has the preview that %s says', async (_, settings, least, most) => {
    const { call } = await connect({ read: both(file(90)) }, { settings: { inline: 1_000, ...settings } })
    const { preview_size } = (await call('read')).structuredContent
    expect(preview_size).toBeGreaterThan(least)
    expect(preview_size).toBeLessThanOrEqual(most)
  })

  it('comes with `full` once, as the tool gave it, up to the answer ceiling', async () => {
    const large = { ...both(file(800)), _meta: { a: 1 } }
    const { call } = await connect({ read: large })
    const { ref_id } = (await call('read')).structuredContent
    expect(await call('get_cached_result', { ref_id, full: true })).toEqual({
      ...large,
      _meta: { a: 1, 'mcp-refcache/ref_id': ref_id },
    })
  })

  it('beyond the answer ceiling is refused with its size and what to ask for, and no page is larger', async () => {
    const huge = file(3_000)
    const { call } = await connect({ read: { content: [text(huge)] } }, { limits: { answerCeiling: 5_000 } })
    const { ref_id } = (await call('read')).structuredContent
    const full = await call('get_cached_result', { ref_id, full: true })
    expect(full.isError).toBe(true)
    const { code, message } = full.structuredContent.error
    expect(code).toBe('answer_too_large')
    const [, said] = /about (\d+) tokens/.exec(message) ?? []
    expect(Number(said)).toBeGreaterThan((await countTokens(huge)) * 0.9)
    const page = await call('get_cached_result', { ref_id, page: 1, max_size: 1_000_000 })
    expect(page.structuredContent.page).toBe(1)
    expect(await countTokens(page.content[0].text)).toBeLessThanOrEqual(5_000)
    const preview = await call('get_cached_result', { ref_id, max_size: 1_000_000 })
    expect(await countTokens(preview.content[0].text)).toBeLessThanOrEqual(5_000)
  })

  it('with isError passes exactly up to the inline limit', async () => {
    const failed = { content: [text(file(300))], isError: true }
    const { call } = await connect({ read: failed })
    const answer = await call('read')
    expect(answer.content).toEqual(failed.content)
    expect(answer.isError).toBe(true)
  })

  it('of media counts its texts alone', async () => {
    const data = Buffer.alloc(60_000, 7).toString('base64')
    const shot = {
      content: [text('a picture'), { type: 'image', data, mimeType: 'image/png' }],
      structuredContent: { picture: data },
    }
    const { call } = await connect({ shoot: shot })
    expect(await call('shoot')).toEqual(shot)
  })

  it('of many characters and few tokens fits a limit in characters', async () => {
    const runs = ' '.repeat(60_000)
    const { call } = await connect({ read: { content: [text(runs)] } }, { clientName: 'cline' })
    const answer = await call('read')
    expect(answer.structuredContent.is_complete).toBe(false)
    expect(answer.content[0].text.length).toBeLessThanOrEqual(8_000)
  })
})

describe.each(PROFILES)('a client of the profile $name', ({ name, client, reads, inline, ceiling }) => {
  const names: Record<string, string> = { vscode: 'Visual Studio Code', claude: 'claude-ai' }
  const clientName = names[name] ?? `${name}-mcp-client`
  const large = file(2_000)

  it('is known by its name', () => expect(client?.test(clientName)).toBe(true))

  it('finds reference, preview and next step in whichever field it reads', async () => {
    const { call, wired } = await connect({ read: both(large) }, { clientName })
    expect(wired.logged.join()).toContain(`profile '${name}'`)
    const { content, structuredContent } = await call('read')
    const inContent = JSON.parse(content[0].text)
    const read = {
      content: [inContent],
      structured: [structuredContent],
      both: [inContent],
      unknown: [inContent, structuredContent],
    }
    for (const body of read[reads]) {
      expect(body).toMatchObject({
        ref_id: expect.any(String),
        status: 'complete',
        is_complete: false,
        preview: expect.any(String),
        message: expect.stringContaining('get_cached_result'),
      })
    }
  })

  it('gets no answer beyond its limit, and what is within passes', async () => {
    const within = file(40)
    const { call } = await connect({ read: both(large), small: both(within) }, { clientName })
    expect(await call('small')).toEqual(both(within))
    const first = await call('read')
    const { ref_id } = JSON.parse(first.content[0].text)
    const answers = [
      first,
      await call('get_cached_result', { ref_id, full: true }),
      await call('get_cached_result', { ref_id, page: 2, max_size: 1_000_000 }),
      await call('get_cached_result', { ref_id, max_size: 1_000_000 }),
    ]
    for (const { content, structuredContent } of answers) {
      for (const shown of [content[0].text, JSON.stringify(structuredContent ?? '')]) {
        expect(shown.length).toBeLessThanOrEqual(ceiling?.characters ?? Number.POSITIVE_INFINITY)
        expect(await countTokens(shown)).toBeLessThanOrEqual(ceiling?.tokens ?? 25_000)
      }
    }
    expect(inline?.characters ?? 8_000).toBeLessThanOrEqual(ceiling?.characters ?? 8_000)
  })
})

it('a profile by its name holds for every client', async () => {
  const { call } = await connect({ read: both(file(200)) }, { limits: { profile: 'cline' } })
  expect((await call('read')).structuredContent.is_complete).toBe(false)
})

describe('a tool that says how much of its results it wants whole', () => {
  const read = both(file(700))
  const tools = [
    { name: 'read', inputSchema: { type: 'object' }, _meta: { 'anthropic/maxResultSizeChars': 200_000 } },
  ]

  it('has that as limit and ceiling where the client honours it', async () => {
    const { call } = await connect({ read }, { clientName: 'claude-code', tools })
    expect(await call('read')).toEqual(read)
  })

  it('and not where it does not', async () => {
    const { call } = await connect({ read }, { clientName: 'codex-mcp-client', tools })
    expect((await call('read')).structuredContent.is_complete).toBe(false)
  })
})

describe('the reserved argument _as_ref', () => {
  it('gives a small result as a reference, with its value, to pass on', async () => {
    const { call } = await connect({ read: both('small') })
    expect(await call('read')).toEqual(both('small'))
    const { structuredContent } = await call('read', { _as_ref: true })
    expect(structuredContent).toMatchObject({
      ref_id: expect.any(String),
      status: 'complete',
      is_complete: true,
      value: 'small',
      expires_at: expect.any(String),
    })
    expect((await call('get_cached_result', { ref_id: structuredContent.ref_id })).content).toEqual(
      both('small').content,
    )
  })

  it('gives a preview of what would pass', async () => {
    const { call } = await connect({ read: both(file(300)) })
    const { structuredContent } = await call('read', { _as_ref: 'true' })
    expect(structuredContent).toMatchObject({ ref_id: expect.any(String), is_complete: false })
  })
})

it('keep_seconds keeps a value longer, up to what the operator allows', async () => {
  const { call } = await connect({ read: both('small') })
  const { ref_id, expires_at } = (await call('read', { _as_ref: true })).structuredContent
  const until = async (keep_seconds?: number) => {
    const answer = await call('get_cached_result', {
      ref_id,
      page: 1,
      ...(keep_seconds ? { keep_seconds } : {}),
    })
    return Date.parse(answer.structuredContent.expires_at)
  }
  const first = Date.parse(expires_at)
  expect(await until(60)).toBe(first)
  const longer = await until(2 * 3_600)
  expect(longer).toBeGreaterThan(first + 3_000_000)
  expect(await until()).toBe(longer)
  const most = await until(1_000 * 3_600)
  expect(most).toBeLessThanOrEqual(Date.now() + 24 * 3_600_000)
  expect(most).toBeGreaterThan(longer)
})
