import { expect, it, vi } from 'vitest'
import { serverChannel, Wired } from './wired.ts'

/** A server that is gone as soon as it was started. */
async function goneAtOnce() {
  const channel = serverChannel(() => {})
  const start = channel.start.bind(channel)
  channel.start = async () => {
    await start()
    setImmediate(() => channel.onclose?.('The wrapped server ended (exit code 9).'))
  }
  return channel
}

it('a server that cannot be used ends the session when its client was told, also one that asks a moment later', async () => {
  const events: string[] = []
  const wired = await Wired.open(() => {}, {
    channel: goneAtOnce,
    onUnusable: () => events.push('ended', ...wired.lines),
  })
  await new Promise(resolve => setImmediate(resolve).unref())
  await new Promise(resolve => setImmediate(resolve))
  expect(events).toEqual([])
  const answer = await wired.ask(1, 'initialize')
  expect(answer).toContain('exit code 9')
  await expect.poll(() => events.length).toBe(2)
  expect(events).toEqual(['ended', answer])
  await wired.close()
})

it('a client that never asks does not keep it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const reasons: string[] = []
    const wired = await Wired.open(() => {}, {
      channel: goneAtOnce,
      onUnusable: reason => reasons.push(reason),
    })
    await new Promise(resolve => setImmediate(resolve))
    vi.advanceTimersByTime(5_000)
    expect(reasons).toEqual([expect.stringContaining('exit code 9')])
    await wired.close()
  } finally {
    vi.useRealTimers()
  }
})
