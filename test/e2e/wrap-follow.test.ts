import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Raw, until, Workshop } from './fixtures/wrap-harness.ts'

/** A server's own jobs as one call: real processes, and a wrapper that is killed in the middle. */

const SERVER = [process.execPath, fileURLToPath(new URL('./fixtures/wrap-jobs-server.mjs', import.meta.url))]

const FOLLOW = {
  ask: { tool: 'get_export', arguments: { export_id: '/export/id' } },
  done: { at: '/state', is: ['ready'] },
  failed: { at: '/state', is: ['broken', 'stopped'] },
  error: '/why',
  progress: { current: '/rows', total: '/of', message: '/doing' },
  result: { tool: 'download_export', arguments: { export_id: '/export/id' } },
  cancel: { tool: 'stop_export', arguments: { export_id: '/export/id' } },
  every: '100ms',
  atMost: '200ms',
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

let workshop: Workshop
let id = 0
beforeEach(() => {
  workshop = new Workshop()
  writeFileSync(
    join(workshop.folder, 'config.json'),
    JSON.stringify({ tools: { start_export: { follow: FOLLOW } } }),
  )
})
afterEach(() => workshop.close())

async function start(...options: string[]): Promise<Raw> {
  const config = ['--config', join(workshop.folder, 'config.json'), '--lease', '1s']
  const jobs = { JOBS: join(workshop.folder, 'jobs.json') }
  const raw = workshop.process(
    ['wrap', '--store', workshop.store, ...config, ...options, '--', ...SERVER],
    jobs,
  )
  await raw.initialize()
  return raw
}

async function ask(raw: Raw, method: string, params: object): Promise<Answer> {
  raw.send({ id: ++id, method, params })
  return ((await raw.answer(id)) as Answer).result
}

const call = (raw: Raw, name: string, args: object) => ask(raw, 'tools/call', { name, arguments: args })
const poll = (raw: Raw, ref_id: string) => call(raw, 'get_cached_result', { ref_id, wait_seconds: 10 })
const starts = () => workshop.journal('start_export').length

describe('a tool of a wrapped server that starts jobs', () => {
  it('answers with the result: the wrapper asks for it, and no model', async () => {
    const raw = await start()
    const { tools } = await ask(raw, 'tools/list', {})
    const [listed] = tools.filter((tool: Answer) => tool.name === 'start_export')
    expect(listed.outputSchema).toBeUndefined()
    expect(listed.description).toContain('Never call get_export for it.')
    expect(await call(raw, 'start_export', { ms: 500 })).toMatchObject({
      content: [
        { type: 'text', text: '[{"n":0,"name":"row 0"},{"n":1,"name":"row 1"},{"n":2,"name":"row 2"}]' },
      ],
    })
    expect(starts()).toBe(1)
    expect(workshop.journal('get_export').length).toBeGreaterThan(1)
    expect(workshop.journal('download_export')).toMatchObject([{ params: { export_id: 'export-1' } }])
  })

  it('answers with one handle, which tells of progress, fails as the job does, and starts another job on request', async () => {
    const raw = await start('--async-timeout', '100ms')
    const { ref_id } = (await call(raw, 'start_export', { ms: 1_000, rows: 10, fails: true }))
      .structuredContent
    const running = await until(async () => {
      const { structuredContent } = await call(raw, 'get_cached_result', { ref_id, wait_seconds: 0 })
      return structuredContent.progress?.current ? structuredContent : undefined
    }, 'progress of the job')
    expect(running.progress).toMatchObject({ total: 10, message: 'reading' })
    expect(await poll(raw, ref_id)).toMatchObject({
      isError: true,
      structuredContent: { status: 'failed', error: 'the disk is full', can_retry: true },
    })
    expect(starts()).toBe(1)
    await call(raw, 'retry_task', { ref_id })
    await until(() => starts() === 2, 'another start')
  })

  it('stops the job of a task that is cancelled', async () => {
    const raw = await start('--async-timeout', '100ms')
    const { ref_id } = (await call(raw, 'start_export', { ms: 60_000 })).structuredContent
    await call(raw, 'cancel_task', { ref_id })
    await until(() => workshop.journal('stop_export')[0], 'the job to be stopped')
    expect(workshop.journal('stop_export')).toMatchObject([{ params: { export_id: 'export-1' } }])
  })

  it('goes on with the same job after the wrapper was killed, under the handle that the client holds', async () => {
    const first = await start('--async-timeout', '100ms')
    const { ref_id } = (await call(first, 'start_export', { ms: 2_500, rows: 5 })).structuredContent
    await until(() => workshop.journal('get_export')[0], 'the job to be followed')
    first.child.kill('SIGKILL')
    await first.exit

    const second = await start()
    const result = await until(async () => {
      const answer = await poll(second, ref_id)
      return answer.structuredContent ? undefined : answer
    }, 'the result under the old handle')
    expect(JSON.parse(result.content[0].text)).toHaveLength(5)
    expect(starts()).toBe(1)
  })

  it('is lost where the wrapper was killed before the start was answered: nobody starts it twice', async () => {
    const first = await start('--async-timeout', '100ms')
    const { ref_id } = (await call(first, 'start_export', { hangs: true })).structuredContent
    await until(() => starts() === 1, 'the start at the server')
    first.child.kill('SIGKILL')
    await first.exit

    const second = await start()
    const lost = await until(async () => {
      const { structuredContent } = await poll(second, ref_id)
      return structuredContent.status === 'failed' ? structuredContent : undefined
    }, 'the task to be given up')
    expect(lost).toMatchObject({ error_code: 'worker_lost', can_retry: true })
    expect(starts()).toBe(1)
  })

  it('goes on with the same job after the wrapper has ended as it should', async () => {
    const first = await start('--async-timeout', '100ms')
    const { ref_id } = (await call(first, 'start_export', { ms: 2_000, rows: 5 })).structuredContent
    await until(() => workshop.journal('get_export')[0], 'the job to be followed')
    first.child.stdin!.end()
    await first.exit

    const second = await start()
    const result = await until(async () => {
      const answer = await poll(second, ref_id)
      return answer.structuredContent ? undefined : answer
    }, 'the result under the old handle')
    expect(JSON.parse(result.content[0].text)).toHaveLength(5)
    expect(starts()).toBe(1)
    expect(workshop.journal('stop_export')).toEqual([])
  })
})
