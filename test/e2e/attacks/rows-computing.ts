import { expect } from 'vitest'
import type { Asking, Attack, Person, Scene } from './door.ts'
import { bare, reader, refOf, settled, toldTo, usable, waysTo } from './steps.ts'

/** Ways to ask for a value, each of which could show a part of it or tell something of it. */
const ASKING: readonly Asking[] = [
  {},
  { full: true },
  { page: 1 },
  { page: 1, pageSize: 1 },
  { page: 1_000_000 },
  { maxSize: 1 },
  { maxSize: 1_000_000 },
  { format: 'full' },
]

/** Attacks on values that may be used, but not seen. The attacker computes with them, and looks for what comes out. */
export const COMPUTING: readonly Attack[] = [
  {
    id: 'private-value',
    tries: 'to see a value that may only be used: whole, a page, a preview, its size, by a question',
    guardedBy: 'src/flow/read/reply.ts',
    async attempt(scene) {
      const refId = await usable(scene)
      await withheld(scene, scene.mallory, refId)
      const alice = await reader(scene)
      await alice.act('get', refId)
      toldTo(scene, alice)
    },
  },
  {
    id: 'tainted-result',
    tries: 'to see what a tool made of a value that may only be used: inline, a page, a preview, its size',
    guardedBy: 'src/flow/call/references.ts',
    async attempt(scene) {
      const { mallory } = scene
      const refId = await usable(scene)
      for (const way of await waysTo(mallory, refId)) {
        for (const tool of ['echo', 'many', 'public_echo']) {
          const result = await mallory.call(tool, { value: { deep: [way] } })
          bare(result)
          await withheld(scene, mallory, refOf(result))
        }
      }
      const alice = await reader(scene)
      await alice.call('echo', { value: refId })
      toldTo(scene, alice)
    },
  },
  {
    id: 'tainted-chain',
    tries: 'to wash a tainted result by computing with it again, and again',
    guardedBy: 'src/flow/call/references.ts',
    async attempt(scene) {
      const { mallory } = scene
      for (const way of await waysTo(mallory, await usable(scene))) {
        let refId = way
        for (const tool of ['echo', 'public_echo', 'many', 'echo']) {
          const result = await mallory.call(tool, { value: refId })
          bare(result)
          refId = refOf(result)
        }
        const stored = refOf(await mallory.call('store', { value: { refId } }))
        bare(await mallory.call('echo', { value: stored }))
      }
    },
  },
  {
    id: 'declassified',
    tries: 'to have a tool that declassifies say more than its result',
    guardedBy: 'src/flow/call/references.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory, host, secret } = scene
      const rows = [secret.number, secret.number + 2, 1]
      const { refId } = await host.set('rows', rows, { policy: { agent: 16 } })
      const mean = await mallory.call('mean', { rows: refId })
      expect(mean.body).toMatchObject({ value: (2 * secret.number + 3) / 3 })
    },
  },
  {
    id: 'declassified-refusal',
    tries: 'a value that a tool which declassifies does not want: its schema says in words what it was given',
    guardedBy: 'src/flow/call/references.ts',
    async attempt(scene) {
      const { mallory } = scene
      for (const way of await waysTo(mallory, await usable(scene))) {
        for (const rows of [way, [way], { way }]) {
          for (const tool of ['mean', 'sum']) expect((await mallory.call(tool, { rows })).code).toBeDefined()
        }
      }
    },
  },
  {
    id: 'tainted-error',
    tries: 'an error of a tool that repeats the value: its message, cause, name, members and stack',
    guardedBy: 'src/flow/call/call.ts',
    async attempt(scene) {
      const { mallory } = scene
      const alice = await reader(scene)
      const refId = await usable(scene)
      await alice.call('explode', { value: refId, how: 'words' })
      toldTo(scene, alice)
      for (const way of await waysTo(mallory, refId)) {
        for (const how of ['words', 'text', 'object', 'cause', 'coded', 'name']) {
          expect((await mallory.call('explode', { value: way, how })).code).toBeDefined()
        }
      }
    },
  },
  {
    id: 'tainted-task',
    tries: 'progress messages, the error and the retry history of a task that works on the value',
    guardedBy: 'src/flow/read/status.ts',
    async attempt(scene) {
      const { mallory, gates, door } = scene
      for (const [n, way] of (await waysTo(mallory, await usable(scene))).entries()) {
        const gate = `gate ${n}`
        const refId = refOf(await mallory.call('narrate_handle', { gate, value: way }))
        await gates.reached(gate)
        await mallory.act('get', refId, { format: 'full' })
        gates.open(gate)
        await settled(scene, refId)
        for (const format of ['minimal', 'standard', 'full'] as const) {
          expect((await mallory.act('get', refId, { format })).body).toMatchObject({ status: 'failed' })
        }
        if (door.acts.includes('resolve')) await mallory.act('resolve', refId)
        await mallory.act('retry', refId)
        await settled(scene, refId)
        await mallory.act('get', refId, { format: 'full' })
        expect((await mallory.call('echo', { value: refId })).code).toBeDefined()
      }
    },
  },
  {
    id: 'tainted-progress',
    tries: 'progress notices of the own call, as they come, while it waits',
    guardedBy: 'src/flow/read/status.ts',
    async attempt(scene) {
      const { mallory, gates } = scene
      const alice = await reader(scene)
      const refId = await usable(scene)
      for (const [who, way] of [
        [alice, refId],
        ...(await waysTo(mallory, refId)).map(way => [mallory, way]),
      ]) {
        const gate = `${way}${who === alice}`
        const answer = (who as Person).call('narrate', { gate, value: way })
        await gates.reached(gate)
        gates.open(gate)
        await answer
      }
      toldTo(scene, alice)
    },
  },
  {
    id: 'tainted-refusal',
    tries: 'a schema that says in words what it was given: names of members, quoted values, paths',
    guardedBy: 'src/flow/run/attempt.ts',
    async attempt(scene) {
      const { mallory } = scene
      const alice = await reader(scene)
      const refId = await usable(scene)
      await alice.call('quoting', { value: refId })
      toldTo(scene, alice)
      for (const way of await waysTo(mallory, refId)) {
        for (const tool of ['strict', 'record', 'quoting', 'unserializable', 'mean']) {
          expect((await mallory.call(tool, { value: way, rows: way })).code).toBeDefined()
        }
      }
    },
  },
  {
    id: 'failure-kind',
    tries: 'to learn of a value from the way in which a call with it failed: its code, whether a retry helps',
    guardedBy: 'src/flow/read/status.ts',
    async attempt(scene) {
      const { mallory } = scene
      const alice = await reader(scene)
      const refId = await usable(scene)
      await alice.call('explode', { value: refId, how: 'words' })
      toldTo(scene, alice)
      for (const way of await waysTo(mallory, refId)) {
        const answers = [
          await mallory.call('strict', { value: way }),
          await mallory.call('unserializable', { value: way }),
          await mallory.call('explode', { value: way, how: 'coded' }),
          await mallory.call('explode', { value: way, how: 'words' }),
        ]
        for (const { said, code } of answers) {
          expect(code).toBe('task_failed')
          expect(unnamed(said)).toBe(unnamed(answers[0]?.said ?? ''))
        }
      }
    },
  },
  {
    id: 'tainted-outrun',
    tries: 'to use a result before it is known what it will be made of',
    guardedBy: 'src/flow/call/references.ts',
    async attempt(scene) {
      const { mallory } = scene
      for (const [n, way] of (await waysTo(mallory, await usable(scene))).entries()) {
        const gates = [`slow ${n}`, `last ${n}`] as const
        const slow = refOf(await mallory.call('wait', { gate: gates[0] }))
        const first = refOf(await mallory.call('echo_handle', { value: [slow, way] }))
        const second = refOf(await mallory.call('echo_handle', { value: [first] }))
        const third = refOf(await mallory.call('narrate_handle', { gate: gates[1], value: second }))
        const waiting = following(scene, mallory, [first, second, third])
        for (const gate of gates) scene.gates.open(gate)
        await Promise.all(waiting)
        for (const refId of [first, second, third]) await settled(scene, refId)
        expect((await mallory.act('get', second)).code).toBe('permission_denied')
      }
    },
  },
  {
    id: 'joined-while-queued',
    tries:
      'to join the task of somebody who may see everything, while its source waits in the queue and nobody knows yet of what that is made',
    guardedBy: 'src/flow/call/draft.ts',
    cache: { maxConcurrentTasks: 1 },
    async attempt(scene) {
      const { mallory, gates } = scene
      const alice = await reader(scene)
      const bait = refOf(await mallory.call('store_public', { value: [await usable(scene)] }))
      const busy = refOf(await mallory.call('wait_public', { gate: 'g' }))
      await gates.reached('g')
      const source = refOf(await mallory.call('public_handle', { value: bait }))
      const hers = refOf(await alice.call('public_handle', { value: [source] }))
      const his = refOf(await mallory.call('public_handle', { value: [source] }))
      gates.open('g')
      for (const refId of [busy, source, hers, his]) await settled(scene, refId)
      await alice.act('get', hers)
      toldTo(scene, alice)
      expect((await mallory.act('get', his, { full: true })).code).toBe('permission_denied')
    },
  },
  {
    id: 'tainted-orphan',
    tries: 'to see a tainted result when what tainted it is gone',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const { mallory, host, clock, secret } = scene
      for (const end of ['deleted', 'expired']) {
        const policy = { agent: 16 } as const
        const { refId } = await host.set('salaries', secret.value, { policy, ttl: '1m' })
        const results = []
        for (const way of await waysTo(mallory, refId)) {
          const result = await mallory.call('echo', { value: way })
          bare(result)
          results.push(refOf(result))
        }
        if (end === 'deleted') await host.delete(refId, { actor: { type: 'system' } })
        else await clock.advance('2m')
        for (const result of results) await withheld(scene, mallory, result)
      }
    },
  },
  {
    id: 'private-task',
    tries: 'the words of a task whose result may only be used: progress, error, cause, history',
    guardedBy: 'src/flow/read/status.ts',
    async attempt(scene) {
      const { mallory, gates } = scene
      const alice = await reader(scene)
      const refId = refOf(await mallory.call('hold_private_handle', { gate: 'a' }))
      await gates.reached('a')
      await mallory.act('get', refId, { format: 'full' })
      gates.open('a')
      await settled(scene, refId)
      await mallory.act('get', refId, { format: 'full' })
      await mallory.act('retry', refId)
      await settled(scene, refId)
      await mallory.act('get', refId, { format: 'full' })
      await alice.act('get', refId)
      toldTo(scene, alice)
    },
  },
  {
    id: 'private-growing-value',
    tries:
      'to see what a task has so far whose result may only be used: its size, a page, a part, what is left of it',
    guardedBy: 'src/flow/read/appended.ts',
    async attempt(scene) {
      const { mallory, gates } = scene
      const alice = await reader(scene)
      const refId = refOf(await mallory.call('grow_private_handle', { gate: 'g' }))
      await gates.reached('g before')
      // It says the same, whether or not something is there.
      const before = await allAnswers(mallory, refId)
      gates.open('g before')
      await gates.reached('g')
      expect(await allAnswers(mallory, refId)).toEqual(before)
      await alice.act('get', refId, { page: 1 })
      toldTo(scene, alice)
      gates.open('g')
      await settled(scene, refId)
      for (const said of await allAnswers(mallory, refId))
        expect(said).not.toMatch(/available|partial|preview/)
    },
  },
  {
    id: 'tainted-growing-value',
    tries: 'to see what a task appends that computes with what may only be used',
    guardedBy: 'src/flow/run/attempt.ts',
    async attempt(scene) {
      const { mallory, gates } = scene
      for (const [number, way] of (await waysTo(mallory, await usable(scene))).entries()) {
        const gate = `gate ${number}`
        const refId = refOf(await mallory.call('grow_of_handle', { gate, value: { deep: [way] } }))
        await gates.reached(gate)
        for (const said of await allAnswers(mallory, refId))
          expect(said).not.toMatch(/available|growing|preview/)
        gates.open(gate)
        await settled(scene, refId)
        for (const said of await allAnswers(mallory, refId))
          expect(said).not.toMatch(/available|partial|preview/)
      }
    },
  },
  {
    id: 'private-task-joined',
    tries: 'to wait, as one of two callers, for a task whose result may only be used',
    guardedBy: 'src/flow/call/call.ts',
    async attempt(scene) {
      const { mallory, gates } = scene
      const alice = await reader(scene)
      const answers = [alice.call('hold_private', { gate: 'g' })]
      await gates.reached('g')
      answers.push(mallory.call('hold_private', { gate: 'g' }))
      gates.open('g')
      for (const { code } of await Promise.all(answers)) expect(code).toBe('task_failed')
      toldTo(scene, alice)
    },
  },
  {
    id: 'foreign-words-joined',
    tries:
      'to join a shared task in which somebody else computes with what fails for a reason of that person alone',
    guardedBy: 'src/flow/call/references.ts',
    async attempt(scene) {
      const { alice, mallory, gates } = scene
      const failed = refOf(await alice.call('flaky', { gate: 'f' }))
      gates.open('f')
      await settled(scene, failed)
      await alice.act('get', failed)
      toldTo(scene, alice)
      const slow = refOf(await mallory.call('wait_public', { gate: 'g' }))
      const bait = refOf(await mallory.call('store_public', { value: [failed] }))
      const shared = refOf(await alice.call('public_handle', { value: [slow, bait] }))
      const joined = await mallory.call('public_handle', { value: [slow, bait] })
      gates.open('g')
      await settled(scene, shared)
      if (joined.body.ref_id === shared) await mallory.act('get', shared, { format: 'full' })
    },
  },
]

/** Without what differs from one call to the next. */
function unnamed(said: string): string {
  return said.replaceAll(/[0-9a-f]{32}/g, '<id>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
}

/** Polls that were admitted before anybody knew what the task would work on. */
function following({ door }: Scene, attacker: Person, refIds: readonly string[]): Promise<unknown>[] {
  const acts = (['get', 'resolve'] as const).filter(act => door.acts.includes(act))
  return refIds.flatMap(refId => acts.map(act => attacker.act(act, refId, { wait: true })))
}

/** However it is asked for, the attacker is told that the value is private, and nothing of it. */
/** What is said to all ways of asking for a value, or a part of it. */
async function allAnswers(attacker: Person, refId: string): Promise<string[]> {
  const answers: string[] = []
  for (const part of ['', '#/0', '#/2', '#/99', '#L1']) {
    for (const asking of ASKING) answers.push((await attacker.act('get', `${refId}${part}`, asking)).said)
  }
  return answers
}

async function withheld({ door }: Scene, attacker: Person, refId: string): Promise<void> {
  const answers = [
    ...(await Promise.all(ASKING.map(asking => attacker.act('get', refId, asking)))),
    await attacker.act('query', refId),
    ...(door.acts.includes('resolve') ? [await attacker.act('resolve', refId)] : []),
  ]
  const [first] = answers
  for (const { code, body } of answers) {
    expect(code).toBe('permission_denied')
    expect(body).toEqual(first?.body)
  }
  const told = (['result', 'status'] as const).find(act => door.acts.includes(act))
  if (told) bare(await attacker.act(told, refId))
}
