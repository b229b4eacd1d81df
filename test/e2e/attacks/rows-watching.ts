import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { auditFile } from '../../../src/audit/index.ts'
import type { CacheEventType } from '../../../src/core/events.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { createLog } from '../../../src/wrap/log.ts'
import type { Attack, Person } from './door.ts'
import {
  ESCAPES,
  hidden,
  looksUnknown,
  madeUp,
  reader,
  refOf,
  settled,
  toldTo,
  unharmed,
  usable,
  waysTo,
} from './steps.ts'

const ADMIN_CALLS: ReadonlyArray<readonly [string, (refId: string) => JsonObject]> = [
  ['admin_list_references', () => ({})],
  ['admin_list_references', () => ({ namespace: 'user:alice' })],
  ['admin_show_reference', ref_id => ({ ref_id })],
  ['admin_delete_reference', ref_id => ({ ref_id })],
  ['admin_clear_namespace', () => ({ namespace: 'user:alice', confirm: true })],
  ['admin_stats', () => ({})],
]

const FORGED = '"}\n{"at":"2030-01-01","actor":{"type":"system"},"verdict":"allowed"}\r\n\x1b[2J\0'

const EVENTS: readonly CacheEventType[] = [
  ...(['entry:stored', 'entry:hit', 'entry:joined', 'entry:deleted'] as const),
  ...(['task:started', 'task:progress', 'task:retrying', 'task:settled', 'task:recovered'] as const),
]

/** Attacks from the side: on questions, lists, notices and events, and on what is there for operators. */
export const WATCHING: readonly Attack[] = [
  {
    id: 'foreign-question',
    tries: 'to read, or to answer, what a task asks somebody else',
    guardedBy: 'src/flow/control/answer.ts',
    needs: ['questions'],
    async attempt(scene) {
      const { alice, mallory } = scene
      const refId = refOf(await alice.call('ask_handle', { value: scene.secret.text }))
      await asked(alice, refId)
      toldTo(scene, alice)
      await unharmed(alice, refId, () => looksUnknown(scene, mallory, refId))
      await alice.act('answer', refId)
      await settled(scene, refId)
      expect((await alice.act('get', refId)).body).toMatchObject({ value: { action: 'decline' } })
    },
  },
  {
    id: 'tainted-question',
    tries: 'to be asked, by a task that works on a value that may only be used, in words that repeat it',
    guardedBy: 'src/flow/run/ask.ts',
    needs: ['questions'],
    async attempt(scene) {
      const { mallory } = scene
      const alice = await reader(scene)
      const secret = await usable(scene)
      const hers = refOf(await alice.call('ask_handle', { value: secret }))
      await asked(alice, hers)
      toldTo(scene, alice)
      for (const way of await waysTo(mallory, secret)) {
        const refId = refOf(await mallory.call('ask_handle', { value: way }))
        expect(await asked(mallory, refId)).toBe(false)
        expect((await mallory.act('get', refId)).body).toMatchObject({ status: 'failed' })
      }
    },
  },
  {
    id: 'foreign-task-list',
    tries: 'to find the tasks of others in the list of the own',
    guardedBy: 'src/flow/operate/tasks.ts',
    needs: ['lists'],
    async attempt(scene) {
      const { alice, mallory, gates } = scene
      const hers = refOf(await alice.call('flaky', { gate: 'g' }))
      const his = refOf(await mallory.call('wait', { gate: 'h' }))
      gates.open('g')
      await settled(scene, hers)
      const listed = [await alice.act('list', ''), await mallory.act('list', '')]
      toldTo(scene, alice)
      expect(listed.map(({ said }) => [said.includes(hers), said.includes(his)])).toEqual([
        [true, false],
        [false, true],
      ])
    },
  },
  {
    id: 'foreign-listening',
    tries: 'to be told of each change of the task of somebody else',
    guardedBy: 'src/agent/tasks/subscriptions.ts',
    needs: ['listening'],
    async attempt({ door, alice, gates, overheard, ...scene }) {
      const task = refOf(await alice.call('hold', { gate: 'g' }))
      await gates.reached('g')
      const made = madeUp(scene)
      const [hers, his] = await Promise.all([
        door.listen?.({ id: 'alice' }, [task]),
        door.listen?.({ id: 'mallory' }, [task, made]),
      ])
      gates.open('g')
      await settled({ door, alice, gates, overheard, ...scene }, task)
      // She is told: so he would have been, too.
      while (!hers?.heard().includes('"status":"completed"')) await sleep(5)
      const heard = (await his?.end()) ?? ''
      await hers?.end()
      expect(heard).toContain('acknowledged')
      expect(heard).not.toContain(task)
      overheard(heard)
    },
  },
  {
    id: 'admin-tools',
    tries: "the operators' tools, without being one of them",
    guardedBy: 'src/agent/tools/admin.ts',
    needs: ['raw'],
    aboutIdentity: false,
    attach: { adminCheck: ({ http }) => http?.authInfo?.extra?.sub === 'operator' },
    async attempt(scene) {
      const { alice } = scene
      const refId = await hidden(scene)
      const others = ['mallory', 'Operator', 'operator ', 'operator\0', '*', ''].map(id => ({ id }))
      for (const identity of [...others, {}]) {
        const attacker = await scene.attacker(identity)
        await unharmed(alice, refId, async () => {
          for (const [tool, args] of ADMIN_CALLS) {
            const { code, said } = await attacker.call(tool, args(refId))
            expect(code).toBe('permission_denied')
            expect(said).not.toContain('alice')
          }
        })
      }
      // Operators are no readers: what they are shown is looked through, too.
      const operator = await scene.attacker({ id: 'operator' })
      for (const [tool, args] of ADMIN_CALLS) {
        const { code, said } = await operator.call(tool, args(refId))
        expect(code, said).toBe(tool === 'admin_clear_namespace' ? code : undefined)
      }
      toldTo(scene, alice)
    },
  },
  {
    id: 'admin-tools-off',
    tries: "the operators' tools of a server that offers none",
    guardedBy: 'src/mcp/attach.ts',
    needs: ['raw'],
    aboutIdentity: false,
    async attempt(scene) {
      const { alice, mallory } = scene
      const refId = await hidden(scene)
      await unharmed(alice, refId, async () => {
        for (const [tool, args] of ADMIN_CALLS)
          expect((await mallory.call(tool, args(refId))).code).toBeDefined()
      })
    },
  },
  {
    id: 'tainted-events',
    tries: 'to learn of the value from the events of the cache',
    guardedBy: 'src/core/events.ts',
    needs: ['actors'],
    stores: ['memory'],
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory, host, gates, overheard } = scene
      for (const type of EVENTS) host.on(type, event => overheard(JSON.stringify(event)))
      for (const way of await waysTo(mallory, await usable(scene))) {
        await mallory.call('echo', { value: way })
        await mallory.call('explode', { value: way, how: 'coded' })
        gates.open('g')
        const refId = refOf(await mallory.call('narrate_handle', { gate: 'g', value: way }))
        await settled(scene, refId)
        await mallory.act('retry', refId)
        await settled(scene, refId)
        await mallory.act('delete', refId)
      }
    },
  },
  {
    id: 'terminal-escapes',
    tries: 'to move the cursor of a terminal, or to forge a line of a log, with words of a tool',
    guardedBy: 'src/wrap/log.ts',
    needs: ['actors'],
    stores: ['memory'],
    aboutIdentity: false,
    async attempt() {
      for (const json of [false, true]) {
        const lines: string[] = []
        const log = createLog({ level: 'debug', json, write: line => lines.push(line) })
        for (const level of ['debug', 'info', 'warn', 'error'] as const)
          log[level]('upstream_problem', ESCAPES)
        expect(lines).toHaveLength(4)
        for (const line of lines) {
          expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
          expect(line.at(-1)).toBe('\n')
          expect(line).toMatch(json ? /^\{"time":/ : /^mcp-refcache (debug|info|warn|error): /)
        }
      }
    },
  },
  {
    id: 'forged-audit',
    tries: 'names that would forge a line of the audit file',
    guardedBy: 'src/audit/json-lines.ts',
    needs: ['actors'],
    stores: ['memory'],
    aboutIdentity: false,
    async attempt() {
      const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-attacks-'))
      const path = join(folder, 'audit.jsonl')
      try {
        const sink = auditFile(path)
        for (const name of [FORGED, 'plain', FORGED]) {
          sink.write({
            ...{ at: new Date(0), action: 'get', permission: 1, verdict: 'hidden', rule: 'unknown' },
            ...{ refId: name, namespace: name, toolName: name },
            actor: { type: 'agent', id: name, sessionId: name, orgs: [name] },
          })
        }
        await sink.close()
        const text = await readFile(path, 'utf8')
        const lines = text.trimEnd().split('\n')
        expect(lines).toHaveLength(3)
        for (const line of lines) expect(JSON.parse(line)).toMatchObject({ verdict: 'hidden' })
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  },
]

const RUNNING = ['pending', 'processing', 'working', 'input_required']

/** Waits until the task has asked its starter; false where it ends without that. */
async function asked(starter: Person, refId: string): Promise<boolean> {
  for (;;) {
    const { said, body } = await starter.act('status', refId)
    if (said.includes('elicit-1')) return true
    if (!RUNNING.includes(String(body.status))) return false
    await sleep(5)
  }
}
