import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Attack, Identity, Scene } from './door.ts'
import { hidden, madeUp, refOf, settled, toldTo, unharmed, usable } from './steps.ts'
import { missingAndForbidden } from './timing.ts'

const ALICE: Identity = { id: 'alice' }
const MALLORY: Identity = { id: 'mallory' }

interface Seen {
  readonly status: number
  readonly said: string
}

async function look(scene: Scene, who: Identity, path: string, init?: RequestInit): Promise<Seen> {
  const response = await (scene.door.look as NonNullable<Scene['door']['look']>)(who, path, init)
  const said = await response.text()
  if (who.id === 'mallory') scene.overheard(said)
  return { status: response.status, said }
}

function doing(body: object, headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }) {
  const json = { 'content-type': 'application/json', ...headers }
  return { method: 'POST', headers: json, body: JSON.stringify(body) }
}

/** All that the page can be asked about one reference. */
const ASKED: Readonly<Record<string, (refId: string) => readonly [path: string, init?: RequestInit]>> = {
  entry: ref => [`api/entry?ref=${ref}`],
  graph: ref => [`api/graph?ref=${ref}`],
  value: ref => [`api/value?ref=${ref}`],
  page: ref => [`api/value?ref=${ref}&page=1`],
  part: ref => [`api/value?ref=${encodeURIComponent(`${ref}#/0`)}`],
  size: ref => [`api/sizes?ref=${ref}`],
  sql: ref => ['api/query', doing({ ref, sql: 'select * from columns' })],
  search: ref => ['api/query', doing({ ref, search: '/./' })],
  cancel: ref => ['api/cancel', doing({ ref })],
  retry: ref => ['api/retry', doing({ ref })],
  delete: ref => ['api/delete', doing({ ref })],
  answer: ref => ['api/answer', doing({ ref, answers: { 'elicit-1': { action: 'decline' } } })],
}

/** All that the page shows without being asked about a reference. */
const SHOWN = ['api/overview', 'api/tasks', 'api/entries', 'api/history'] as const

async function shownTo(scene: Scene, who: Identity): Promise<string> {
  const all = await Promise.all(SHOWN.map(path => look(scene, who, path)))
  const texts = all.map(({ status, said }) => `${status} ${said}`)
  return texts.join('\n').replace(/"now":"[^"]*"/, '')
}

/** Whatever is asked about the reference is answered as about one that nobody gave out. */
async function looksUnknown(scene: Scene, refId: string): Promise<void> {
  const other = madeUp(scene)
  for (const [what, asked] of Object.entries(ASKED)) {
    const missing = await look(scene, MALLORY, ...asked(other))
    const forbidden = await look(scene, MALLORY, ...asked(refId))
    expect(forbidden.said.replaceAll(refId, '<ref>'), what).toBe(missing.said.replaceAll(other, '<ref>'))
    expect(forbidden.status, what).toBe(missing.status)
  }
}

/** Attacks on the live page of a server, by somebody who is signed in, or who makes others' browsers ask. */
export const LOOKING: readonly Attack[] = [
  {
    id: 'page-foreign-id',
    tries: 'to see, ask, cancel, retry, answer or delete by the page what is not the own',
    guardedBy: 'src/flow/operate/known.ts',
    needs: ['page'],
    async attempt(scene) {
      const { alice, gates } = scene
      const value = await hidden(scene)
      await unharmed(alice, value, () => looksUnknown(scene, value))
      for (const tool of ['hold', 'flaky']) {
        const refId = refOf(await alice.call(tool, { gate: tool }))
        await gates.reached(tool)
        await looksUnknown(scene, refId)
        gates.open(tool)
        await settled(scene, refId)
        await unharmed(alice, refId, () => looksUnknown(scene, refId))
      }
      const asking = refOf(await alice.call('ask_handle', { value: scene.secret.text }))
      await expect.poll(async () => (await alice.act('get', asking)).said).toContain('elicit-1')
      await unharmed(alice, asking, () => looksUnknown(scene, asking))
      expect((await look(scene, ALICE, `api/value?ref=${value}`)).said).toContain(scene.secret.text)
      toldTo(scene, alice)
    },
  },
  {
    id: 'page-lists',
    tries: 'to find in the lists, counts and history of the page what others have or do',
    guardedBy: 'src/flow/operate/own-entries.ts',
    needs: ['page'],
    async attempt(scene) {
      const { alice, gates, clock } = scene
      const before = await shownTo(scene, MALLORY)
      await hidden(scene)
      const refId = refOf(await alice.call('hold_public', { gate: 'g' }))
      await gates.reached('g')
      await clock.advance(0)
      expect(await shownTo(scene, MALLORY)).toBe(before)
      expect(await shownTo(scene, ALICE)).toContain(refId)
      gates.open('g')
      await settled(scene, refId)
      expect(await shownTo(scene, MALLORY)).toBe(before)
      for (const query of [
        '?tool=hold_public',
        '?status=complete',
        '?cache=vault',
        '?limit=1',
        '?find=hold',
        `?find=${refId}`,
      ]) {
        expect((await look(scene, MALLORY, `api/entries${query}`)).said).not.toContain(refId)
      }
    },
  },
  {
    id: 'page-links',
    tries: 'to come from an entry that may be known to those that it was made of, or that were made of it',
    guardedBy: 'src/flow/operate/links.ts',
    needs: ['page'],
    async attempt(scene) {
      const { alice, host } = scene
      const shared = (await host.set('shared', [1, 2, 3])).refId
      const made = refOf(await alice.call('echo_handle', { value: { x: [shared] } }))
      const last = refOf(await alice.call('echo_handle', { value: { x: [made] } }))
      for (const route of ['entry', 'graph']) {
        const of = async (ref: string, who = MALLORY) =>
          (await look(scene, who, `api/${route}?ref=${ref}`)).said
        expect(await of(shared)).not.toContain(made)
        // With a reference that she was given, she is not given others.
        expect(await of(made)).not.toContain(shared)
        expect(await of(made)).not.toContain(last)
        expect(await of(made, ALICE)).toContain(shared)
      }
      expect((await look(scene, ALICE, `api/graph?ref=${last}`)).said).toContain(shared)
    },
  },
  {
    id: 'page-private',
    tries:
      'to see by the page what may only be used: the value, what it is like, its size, or what it is called',
    guardedBy: 'src/flow/read/value-facts.ts',
    needs: ['page'],
    async attempt(scene) {
      const refId = await usable(scene)
      const entry = await look(scene, MALLORY, `api/entry?ref=${refId}`)
      expect(entry.status).toBe(200)
      expect(entry.said).not.toMatch(/"bytes"|"tables"|salaries/)
      expect((await look(scene, MALLORY, `api/sizes?ref=${refId}`)).said).toBe('{"sizes":[]}')
      for (const what of ['value', 'page', 'part', 'sql', 'search', 'delete']) {
        const asked = ASKED[what] as (typeof ASKED)[string]
        expect((await look(scene, MALLORY, ...asked(refId))).status, what).toBe(403)
      }
      const alice = await look(scene, { kind: 'user', id: 'alice' }, `api/value?ref=${refId}`)
      expect(alice.said).toContain(scene.secret.text)
    },
  },
  {
    id: 'page-events',
    tries: 'to hear by the events of the page that others do anything, or that it is gone',
    guardedBy: 'src/flow/operate/known-feed.ts',
    needs: ['page'],
    async attempt(scene) {
      const { alice, host, gates, door } = scene
      const gone = await hidden(scene)
      const open = door.look as NonNullable<typeof door.look>
      const stream = await open(MALLORY, 'api/events')
      const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
      let heard = ''
      const over = (async () => {
        for (let read = await reader.read(); !read.done; read = await reader.read())
          heard += Buffer.from(read.value).toString()
      })()
      await expect.poll(() => heard).toContain('event: reset')
      const before = heard
      const refId = refOf(await alice.call('hold', { gate: 'g' }))
      await gates.reached('g')
      gates.open('g')
      await settled(scene, refId)
      for (let n = 0; n < 20; n++) await host.set('more', n, { namespace: 'user:alice' })
      await host.delete(gone)
      await sleep(1_000)
      expect(heard).toBe(before)
      const own = refOf(await scene.mallory.call('store', { value: 1 }))
      await expect.poll(() => heard).toContain(own)
      await reader.cancel()
      await over
      scene.overheard(heard)
    },
  },
  {
    id: 'page-crafted',
    tries:
      'to reach by a cursor or event of another one, a doubled parameter, a part, or a path what is not the own',
    guardedBy: 'src/ui/server/routes.ts',
    needs: ['page'],
    async attempt(scene) {
      const value = await hidden(scene)
      await hidden(scene)
      const own = refOf(await scene.mallory.call('store', { value: 1 }))
      const { nextCursor } = JSON.parse((await look(scene, ALICE, 'api/entries?limit=1')).said)
      const cursor = encodeURIComponent(nextCursor)
      const lists = [`?cursor=${cursor}`, `?cursor=${cursor}&limit=200`, '?who=agent:alice', '?actor=alice']
      for (const query of lists) {
        expect((await look(scene, MALLORY, `api/entries${query}`)).said).not.toContain(value)
      }
      for (const path of [
        `api/value?ref=${own}&ref=${value}`,
        `api/value?ref=${value}&ref=${own}`,
        `api/value?ref=${own}%23${value}`,
        `api/value?ref=${encodeURIComponent(`${value}#/__proto__`)}`,
        `api/value?ref=%20${value}`,
        `api/value?ref=${value.toUpperCase()}`,
        `api/sizes?ref=${own}&ref=${value}&ref=${value}`,
        `api/entry?ref=${value}&token=x&sight=operator`,
        `api/../api/entry?ref=${value}`,
        `api//entry?ref=${value}`,
      ]) {
        const { said } = await look(scene, MALLORY, path)
        expect(said, path).not.toMatch(/"tables"|"label"|"bytes"/)
      }
      for (const body of [
        { ref: own, tables: { t: value }, sql: 'select * from t' },
        { ref: [value], search: '/./' },
        { ref: own, sql: `select '${value}' as r, * from root` },
      ]) {
        // What it hears is held against the secret.
        await look(scene, MALLORY, 'api/query', doing(body))
      }
      expect((await look(scene, ALICE, `api/value?ref=${value}`)).said).toContain(scene.secret.text)
    },
  },
  {
    id: 'page-timing',
    tries: 'to tell by the time of the page’s answers what exists',
    guardedBy: 'src/flow/read/equal-refusals.ts',
    needs: ['page'],
    stores: ['memory'],
    async attempt(scene) {
      const refIds = await Promise.all(Array.from({ length: 50 }, () => hidden(scene)))
      const open = scene.door.look as NonNullable<typeof scene.door.look>
      const ask = async (refId: string) => (await open(MALLORY, `api/entry?ref=${refId}`)).text()
      await missingAndForbidden(scene, refIds, { pairs: 400, ask })
      // With trust in everybody there would be nothing to tell apart.
      expect((await look(scene, MALLORY, `api/entry?ref=${refIds[0]}`)).status).toBe(404)
    },
  },
  {
    id: 'page-cross-site',
    tries: 'to have the browser of somebody who is signed in do something for another web page',
    guardedBy: 'src/ui/server/http.ts',
    needs: ['page'],
    aboutIdentity: false,
    async attempt(scene) {
      const { alice, gates } = scene
      const refId = refOf(await alice.call('wait', { gate: 'g' }))
      await gates.reached('g')
      const others: Record<string, string>[] = [
        { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' },
        { 'sec-fetch-site': 'same-site', origin: 'http://other.app.example' },
        { origin: 'http://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'none' },
        {},
      ]
      await unharmed(alice, refId, async () => {
        for (const headers of others) {
          for (const route of ['cancel', 'retry', 'delete', 'answer', 'query']) {
            const body = { ref: refId, answers: {}, search: 'x' }
            expect((await look(scene, ALICE, `api/${route}`, doing(body, headers))).status).toBe(403)
          }
        }
        const form = { 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' }
        expect((await look(scene, ALICE, 'api/cancel', doing({ ref: refId }, form))).status).toBe(415)
        for (const headers of others.slice(0, 4)) {
          expect((await look(scene, ALICE, 'api/entries', { headers })).status).toBe(403)
        }
      })
      gates.open('g')
      await settled(scene, refId)
    },
  },
]
