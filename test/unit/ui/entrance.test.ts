import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { Entrance } from '../../../src/ui/server/entrance.ts'
import { request } from './looking.ts'

function entrance(key: string, clock = new FakeClock()) {
  const next: string[] = []
  const options = { key: Buffer.from(key), cookie: 'ui', clock, onNext: (token: string) => next.push(token) }
  return { clock, next, door: new Entrance(options) }
}

const withCookie = (cookie: string) => request('api/overview', { headers: { cookie } })

function letIn(door: Entrance): string {
  const answer = door.answer(request(`?token=${door.token}`))
  expect([answer?.status, answer?.headers.get('location')]).toEqual([303, './'])
  const cookie = answer?.headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/^ui=[\w.-]+; Path=\/[\w-]{22}\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
  expect(cookie).toContain(`Path=${door.folder};`)
  return cookie.slice(0, cookie.indexOf(';'))
}

describe('the entrance of the page', () => {
  it('lets in whoever has the link, once, and then by a cookie', () => {
    const { door, next } = entrance('key')
    const { token } = door
    const cookie = letIn(door)
    expect(door.answer(withCookie(`other=1; ${cookie}`))).toBeUndefined()
    // Another browser needs the next link.
    const again = door.answer(request(`?token=${token}`))
    expect(again?.status).toBe(403)
    expect(next).toEqual([door.token])
    expect(door.token).not.toBe(token)
    letIn(door)
  })

  it('refuses a link that is older than ten minutes, and makes the next one', async () => {
    const { door, clock, next } = entrance('key')
    const { token } = door
    await clock.advance('10m')
    const late = door.answer(request(`?token=${token}`))
    expect([late?.status, late?.headers.get('set-cookie')]).toEqual([403, null])
    expect(await late?.text()).toMatch(/older than ten minutes.*terminal/)
    expect(next).toEqual([door.token])
    expect(door.answer(request(`?token=${token}`))?.status).toBe(403)
    expect(next).toHaveLength(1)
    await clock.advance('9m')
    const cookie = letIn(door)
    // Whoever is in already needs no link.
    const { token: third } = door
    await clock.advance('10m')
    expect(door.answer(request(`?token=${third}`, { headers: { cookie } }))?.status).toBe(303)
  })

  it('takes a used link out of the address of whoever is in', () => {
    const { door } = entrance('key')
    const { token } = door
    const cookie = letIn(door)
    const answer = door.answer(request(`?token=${token}`, { headers: { cookie } }))
    expect([answer?.status, answer?.headers.get('set-cookie')]).toEqual([303, null])
  })

  it('says to everybody else in words what to do', async () => {
    const { door } = entrance('key')
    for (const [asked, status] of [
      [request(''), 401],
      [request('api/overview'), 401],
      [request('?token='), 403],
      [request('?token=nonsense'), 403],
      [request(`?token=${door.token}`, { method: 'POST' }), 403],
      [withCookie('ui=9999999999999.AAAA'), 401],
      [withCookie('ui='), 401],
    ] as const) {
      const answer = door.answer(asked)
      expect(answer?.status).toBe(status)
      expect(await answer?.text()).toMatch(/mcp-refcache/)
    }
    // None of these used it up.
    letIn(door)
  })

  it('says so as JSON to what the page asks for', async () => {
    const { door } = entrance('key')
    for (const [path, status] of [
      ['folder/api/overview', 401],
      ['api/overview?token=nonsense', 403],
    ] as const) {
      const answer = door.answer(request(path))
      expect(answer?.status).toBe(status)
      expect(await answer?.json()).toEqual({
        code: 'unauthorized',
        message: expect.stringContaining('mcp-refcache'),
      })
    }
  })

  it('can be asked whether it knows somebody, and no token is used up', () => {
    const { door } = entrance('key')
    const { token } = door
    expect(door.knows(request(`?token=${token}`))).toBe(false)
    expect(door.token).toBe(token)
    const cookie = letIn(door)
    expect(door.knows(withCookie(cookie))).toBe(true)
  })

  it('knows its cookies after a start with the same key, until they are old, and no others', async () => {
    const { door, clock } = entrance('key')
    const cookie = letIn(door)
    const restarted = entrance('key', clock).door
    expect(restarted.answer(withCookie(cookie))).toBeUndefined()
    // It lies where it lay; by another key nobody could tell where.
    expect(restarted.folder).toBe(entrance('key', clock).door.folder)
    expect(entrance('another', clock).door.folder).not.toBe(restarted.folder)
    expect(entrance('another', clock).door.answer(withCookie(cookie))?.status).toBe(401)
    const [until = '', signature = ''] = cookie.slice('ui='.length).split('.')
    expect(restarted.answer(withCookie(`ui=${Number(until) + 1}.${signature}`))?.status).toBe(401)
    await clock.advance('12h')
    expect(restarted.answer(withCookie(cookie))?.status).toBe(401)
  })
})
