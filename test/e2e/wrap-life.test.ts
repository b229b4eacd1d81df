import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, type Lines, MAIN, PLAIN, type Raw, until, Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

const wrapPlain = (...options: string[]) => ['wrap', '--store', 'memory', ...options, '--', ...PLAIN]

function callTool(raw: Lines, id: number, name: string, args: object = {}): Promise<Answer> {
  raw.send({ id, method: 'tools/call', params: { name, arguments: args } })
  return raw.answer(id) as Promise<Answer>
}

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const raw = workshop.process(args)
  let stdout = ''
  raw.child.stdout?.on('data', chunk => {
    stdout += chunk
  })
  const { code } = await raw.exit
  return { code, stdout, stderr: raw.stderr }
}

it('says at the end of a session, in one line of the log, what references saved and cost', async () => {
  const raw = workshop.process(wrapPlain())
  await raw.initialize()
  raw.send({ id: 1, method: 'tools/list' })
  await raw.answer(1)
  await callTool(raw, 2, 'echo-params', { words: 'a few words, again and again; '.repeat(3_000) })
  raw.child.stdin?.end()
  await raw.exit
  const [, kept, paged, added, saved] =
    /Tokens, as estimated: ([\d,]+) kept out, ([\d,]+) paged in, ([\d,]+) added; ([\d,]+) saved\./.exec(
      raw.stderr,
    ) ?? []
  const [out, back, ours, net] = [kept, paged, added, saved].map(text => Number(text?.replaceAll(',', '')))
  expect(out).toBeGreaterThan(8_000)
  expect(back).toBe(0)
  expect(ours).toBeGreaterThan(500)
  expect(net).toBe((out as number) - (ours as number))
})

describe('a server that dies', () => {
  it('fails what is open with a coded error, is started again, and the session goes on', async () => {
    const config = join(workshop.folder, 'config.json')
    const tools = { slow: { asyncTimeout: '100ms' }, count: { asyncTimeout: '0s' } }
    writeFileSync(config, JSON.stringify({ tools }))
    const raw = await workshop.here(PLAIN, '--config', config, '--json')
    await raw.initialize()
    const handle = (await callTool(raw, 1, 'slow', { ms: 60_000 })).result.structuredContent
    expect(handle.status).toBe('processing')

    const [crashed] = await Promise.all([callTool(raw, 2, 'crash'), raw.answer(2)])
    expect(crashed.result.isError).toBe(true)
    expect(crashed.result.structuredContent.error.message).toContain('exit code 7')

    const failed = await callTool(raw, 3, 'get_cached_result', { ref_id: handle.ref_id })
    expect(failed.result.structuredContent).toMatchObject({
      status: 'failed',
      error_code: 'worker_lost',
      can_retry: true,
    })

    // A call waits until the server is back; that one was introduced to the client again.
    const { ref_id } = (await callTool(raw, 4, 'count')).result.structuredContent
    const counted = await callTool(raw, 5, 'get_cached_result', { ref_id })
    expect(counted.result.content[0].text).toBe('call 1')
    expect(workshop.journal('start')).toHaveLength(2)
    expect(workshop.journal('initialize')).toHaveLength(2)
    expect(workshop.journal('notifications/initialized')).toHaveLength(2)
    expect(raw.messages.some(({ method }) => method === 'notifications/tools/list_changed')).toBe(true)
    const logged = raw.stderr.split('\n').filter(line => line.includes('upstream_lost'))
    expect(JSON.parse(logged[0] ?? '{}')).toMatchObject({ level: 'warn', code: 'upstream_lost' })
  })

  it('is not started again and again by a tool that may be repeated and always kills it', async () => {
    const raw = await workshop.here(PLAIN, '--lease', '500ms', '--async-timeout', '50ms')
    await raw.initialize()
    raw.send({ id: 'list', method: 'tools/list', params: {} })
    await raw.answer('list')
    const { ref_id } = (await callTool(raw, 1, 'crash-pure', { ms: 300 })).result.structuredContent
    let id = 10
    const failed = await until(async () => {
      const args = { ref_id, wait_seconds: 1 }
      const answer = (await callTool(raw, id++, 'get_cached_result', args)).result.structuredContent
      return answer.status === 'failed' ? answer : undefined
    }, 'the task to fail')
    expect(failed).toMatchObject({ error_code: 'worker_lost', can_retry: true })
    const counted = (await callTool(raw, id++, 'count')).result.structuredContent
    const args = { ref_id: counted.ref_id, wait_seconds: 5 }
    const answer = (await callTool(raw, id++, 'get_cached_result', args)).result
    expect(answer).toMatchObject({ _meta: { 'mcp-refcache/ref_id': counted.ref_id } })
    expect(workshop.journal('start')).toHaveLength(2)
  })

  it('is told the log level again', async () => {
    const raw = await workshop.here(PLAIN)
    await raw.initialize()
    raw.send({ id: 1, method: 'logging/setLevel', params: { level: 'error' } })
    await raw.answer(1)
    await callTool(raw, 2, 'crash')
    await callTool(raw, 3, 'count')
    expect(workshop.journal('logging/setLevel').map(({ params }) => params)).toEqual([
      { level: 'error' },
      { level: 'error' },
    ])
  })

  it('leaves no request of the client without an answer, nor one of its own open at the client', async () => {
    const raw = await workshop.here(PLAIN)
    await raw.initialize()
    raw.send({ id: 5, method: 'future/ask-client' })
    const question = await until(
      () => raw.messages.find(({ method }) => method === 'future/question'),
      'the question',
    )
    await callTool(raw, 6, 'crash')
    expect(((await raw.answer(5)) as Answer).error).toMatchObject({ code: -32000 })
    const cancelled = await until(
      () => raw.messages.find(m => m.method === 'notifications/cancelled'),
      'the cancellation',
    )
    expect(cancelled.params).toMatchObject({ requestId: question.id })

    // The new server asks under the same id; an answer to the old question is not taken for one to the new.
    await callTool(raw, 7, 'count')
    raw.send({ id: question.id, result: { stale: true } })
    raw.send({ id: 8, method: 'future/ask-client' })
    const again = await until(
      () => raw.messages.filter(({ method }) => method === 'future/question')[1],
      'the question',
    )
    raw.send({ id: again.id, result: { fresh: true } })
    expect(((await raw.answer(8)) as Answer).result).toEqual({ answer: { fresh: true } })
  })

  it('before it ever answered ends the wrapper: exit code 3, and the client is told', async () => {
    const raw = workshop.process([
      'wrap',
      '--store',
      'memory',
      '--',
      process.execPath,
      '-e',
      'setTimeout(() => process.exit(9), 300)',
    ])
    raw.send({ id: 1, method: 'initialize', params: {} })
    expect(((await raw.answer(1)) as Answer).error.message).toContain('exit code 9')
    expect(await raw.exit).toMatchObject({ code: 3 })
    expect(raw.stderr).toContain('[upstream_unusable]')
  })

  it('because it cannot be started ends the wrapper, and the client is told', async () => {
    const raw = workshop.process(['wrap', '--store', 'memory', '--', 'no-such-command-anywhere'])
    raw.send({ id: 1, method: 'initialize', params: {} })
    expect(((await raw.answer(1)) as Answer).error.message).toContain('there is no such command')
    expect(await raw.exit).toMatchObject({ code: 3 })
  })
})

describe('a server that prints garbage', () => {
  it('is reported on stderr; nothing but JSON-RPC reaches the client', async () => {
    const raw = workshop.process(wrapPlain())
    await raw.initialize()
    expect((await callTool(raw, 1, 'garbage')).result.content[0].text).toBe('printed')
    expect(raw.garbage).toEqual([])
    expect(raw.messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true)
    expect(raw.stderr.match(/upstream_problem/g)).toHaveLength(2)
    expect(raw.stderr).not.toContain('this should have gone to stderr')
  })
})

describe('garbage from the client', () => {
  it('is ignored, and the next message answered', async () => {
    const raw = await workshop.here(PLAIN)
    raw.stdin?.write('what?\n[]\n{"no":"message"}\n\n')
    await raw.initialize()
    expect((await callTool(raw, 1, 'count')).result.content[0].text).toBe('call 1')
  })

  it('as arguments of a poll is a coded error', async () => {
    const raw = await workshop.here(PLAIN)
    await raw.initialize()
    const unknown = `server:${'0'.repeat(32)}`
    const polls = [
      {},
      { ref_id: 42 },
      { ref_id: 'plain:0123' },
      { ref_id: 'x'.repeat(1_000_000) },
      { ref_id: unknown, page: -1 },
      { ref_id: unknown, max_size: 0 },
    ]
    for (const [id, args] of polls.entries()) {
      const { result } = await callTool(raw, id, 'get_cached_result', args)
      expect(result.isError).toBe(true)
      expect(['not_found', 'invalid_argument']).toContain(result.structuredContent.error.code)
    }
  })
})

describe('the end', () => {
  it('comes with the client’s: exit code 0', async () => {
    const raw = workshop.process(wrapPlain())
    await raw.initialize()
    raw.child.stdin?.end()
    expect(await raw.exit).toMatchObject({ code: 0 })
    const [start] = workshop.journal('start')
    expect(isAlive(start?.pid ?? 0)).toBe(false)
  })

  it('leaves no orphan, not even a stubborn server and what that started', async () => {
    const raw = workshop.process(wrapPlain(), { STUBBORN: '1' })
    await raw.initialize()
    const server = workshop.journal('start')[0]?.pid ?? 0
    const grandchild = (await until(() => workshop.journal('grandchild')[0], 'the grandchild')).pid ?? 0
    expect([isAlive(server), isAlive(grandchild)]).toEqual([true, true])
    raw.child.stdin?.end()
    await raw.exit
    await until(() => (!isAlive(server) && !isAlive(grandchild)) || undefined, 'both to be gone')
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('by %s has the exit code %i, while a task runs too', async (signal, code) => {
    const raw = workshop.process(wrapPlain('--async-timeout', '0'))
    await raw.initialize()
    await callTool(raw, 1, 'slow', { ms: 60_000 })
    await until(() => workshop.journal('tools/call')[0], 'the call at the server')
    raw.child.kill(signal)
    expect(await raw.exit).toMatchObject({ code })
    expect(isAlive(workshop.journal('start')[0]?.pid ?? 0)).toBe(false)
  })

  it('fails the tasks that ran, for whoever polls from another process', async () => {
    const args = ['wrap', '--store', workshop.store, '--async-timeout', '0', '--', ...PLAIN]
    const one = workshop.process(args)
    await one.initialize()
    const { ref_id } = (await callTool(one, 1, 'slow', { ms: 60_000 })).result.structuredContent
    await until(() => workshop.journal('tools/call')[0], 'the call at the server')
    one.child.stdin?.end()
    await one.exit
    const two = workshop.process(args)
    await two.initialize()
    const polled = await callTool(two, 1, 'get_cached_result', { ref_id })
    expect(polled.result.structuredContent).toMatchObject({ status: 'failed', error_code: 'worker_lost' })
  })
})

describe('a wrapper that was killed', () => {
  const LEASE = ['--lease', '1s', '--async-timeout', '100ms']
  const start = async () => {
    const raw = workshop.process(['wrap', '--store', workshop.store, ...LEASE, '--', ...PLAIN])
    await raw.initialize()
    return raw
  }
  const polled = async (raw: Raw, id: number, ref_id: string) =>
    (await callTool(raw, id, 'get_cached_result', { ref_id, wait_seconds: 1 })).result
  /** What is said of a task; nothing where the result itself came. */
  const poll = async (raw: Raw, id: number, ref_id: string) =>
    (await polled(raw, id, ref_id)).structuredContent

  it('runs what may be repeated again after its restart, under the handle that the client holds', async () => {
    const first = await start()
    const { ref_id } = (await callTool(first, 1, 'slow-pure', { ms: 3_000 })).result.structuredContent
    expect(await poll(first, 2, ref_id)).toMatchObject({ status: 'processing' })
    first.child.kill('SIGKILL')
    await first.exit

    const second = await start()
    let id = 10
    const done = await until(
      async () => {
        const answer = await polled(second, id++, ref_id)
        return answer.structuredContent ? undefined : answer
      },
      'the result under the old handle',
      20_000,
    )
    expect(done).toEqual({
      content: [{ type: 'text', text: 'slow but done' }],
      _meta: { 'mcp-refcache/ref_id': ref_id },
    })
  })

  it('fails what may not be repeated, and starts it again on request', async () => {
    const first = await start()
    const { ref_id } = (await callTool(first, 1, 'slow', { ms: 1_000 })).result.structuredContent
    first.child.kill('SIGKILL')
    await first.exit

    const second = await start()
    let id = 10
    const lost = await until(
      async () => {
        const answer = await poll(second, id++, ref_id)
        return answer.status === 'failed' ? answer : undefined
      },
      'the task to be given up',
      20_000,
    )
    expect(lost).toMatchObject({ error_code: 'worker_lost', can_retry: true })
    await callTool(second, id++, 'retry_task', { ref_id })
    await until(async () => !(await poll(second, id++, ref_id)), 'the retry')
  })

  it('leaves the tasks of another account alone', async () => {
    const first = await start()
    const { ref_id } = (await callTool(first, 1, 'slow-pure', { ms: 60_000 })).result.structuredContent
    first.child.kill('SIGKILL')
    await first.exit

    const args = ['wrap', '--store', workshop.store, ...LEASE, '--', ...PLAIN]
    const other = workshop.process(args, { API_TOKEN: 'of somebody else' })
    await other.initialize()
    let id = 10
    // It cannot run them; after some patience it says that they are lost.
    await until(
      async () => (await poll(other, id++, ref_id)).status === 'failed',
      'the task to be given up',
      20_000,
    )
    expect(workshop.journal('tools/call').filter(({ params }) => params?.name === 'slow-pure')).toHaveLength(
      1,
    )
  })
})

describe('what the command line gets wrong', () => {
  it.each([
    [
      ['wrap', '--store', 'memory', '--', 'no-such-command-anywhere'],
      3,
      /no such command.*\[upstream_unusable\]/,
    ],
    [['wrap'], 2, /Say what to wrap/],
    [['wrap', '--asinc-timeout', '5s', '--', 'x'], 2, /Did you mean --async-timeout\?/],
    [['wrap', '--store', 'memory', 'no-such-command-anywhere', '--ttl'], 3, /no such command/],
    [['warp'], 2, /Did you mean wrap\?/],
    [[], 2, /Usage/],
  ])('%j ends with code %i and says why', async (args, code, message) => {
    const ended = await run(...args)
    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(message)
    expect(ended.stdout).toBe('')
  })

  it('a config file that is no good: code 2, and where it is wrong', async () => {
    const path = join(workshop.folder, 'config.json')
    writeFileSync(path, '{"tools": {"a": {"asyncTimeout": "soon"}}}')
    const ended = await run('wrap', '--config', path, '--json', '--', 'x')
    expect(ended.code).toBe(2)
    expect(JSON.parse(ended.stderr)).toMatchObject({
      level: 'error',
      code: 'usage',
      message: expect.stringMatching(/tools\.a\.asyncTimeout: must be/),
    })
  })

  it('a file that is no SQLite file: code 5, and it is left as it is', async () => {
    const path = join(workshop.folder, 'corrupt.db')
    writeFileSync(path, 'precious, and no database. '.repeat(200))
    const before = readFileSync(path)
    const ended = await run('wrap', '--store', path, '--json', '--', ...PLAIN)
    expect(ended.code).toBe(5)
    expect(JSON.parse(ended.stderr)).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(path),
    })
    expect(readFileSync(path)).toEqual(before)
    // It may have been started beside the opening of the store; then it has ended, and nothing was asked of it.
    for (const { pid } of workshop.journal('start'))
      await until(() => !isAlive(pid ?? 0) || undefined, 'the server to be gone')
    expect(workshop.journal('initialize')).toEqual([])
  })

  it('a folder where a file should be: code 5', async () => {
    expect((await run('wrap', '--store', workshop.folder, '--', ...PLAIN)).code).toBe(5)
  })
})

describe('what the command line explains', () => {
  it('itself: --help on stdout, --version', async () => {
    const help = await run('wrap', '--help')
    expect(help.code).toBe(0)
    for (const option of [
      '--async-timeout',
      '--inline',
      '--max-size',
      '--max-answer',
      '--profile',
      '--store',
      '--ttl',
      '--name',
      '--config',
      '--http',
      '--json',
    ]) {
      expect(help.stdout).toContain(option)
    }
    expect(help.stdout).toContain('Exit codes')
    const { version } = JSON.parse(readFileSync(join(MAIN, '../../../package.json'), 'utf8'))
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n` })
    expect((await run('--help')).stdout).toContain('mcp-refcache wrap')
  })
})

describe('secrets', () => {
  it('of the environment and of calls reach neither the log nor the store’s file name or mode', async () => {
    const raw = workshop.process(
      ['wrap', '--store', workshop.store, '--log-level', 'debug', '--', ...PLAIN],
      {
        API_TOKEN: 'hunter2-env',
      },
    )
    await raw.initialize()
    await callTool(raw, 1, 'count', { password: 'hunter2-argument' })
    await callTool(raw, 2, 'garbage', { password: 'hunter2-argument' })
    await callTool(raw, 3, 'crash', { password: 'hunter2-argument' })
    expect(raw.stderr).toContain('upstream_lost')
    expect(raw.stderr).not.toContain('hunter2')
    expect(statSync(workshop.store).mode & 0o077).toBe(0)
  })
})
