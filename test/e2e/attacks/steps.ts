import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { Act, Answer, Person, Scene } from './door.ts'

/** What a terminal would obey, and what a log would take for a line of its own. */
export const ESCAPES =
  '\x1b[2J\x1b]0;owned\x07\r\nmcp-refcache info: all is well [ready]\n\u2028\x9b1m\u202e\0'

/** A reference of the right form that nobody ever gave out. */
export function madeUp({ host, madeUp }: Pick<Scene, 'host' | 'madeUp'>): string {
  const refId = `${host.name}:${randomBytes(16).toString('hex')}`
  madeUp.add(refId)
  return refId
}

/** The secret, in a place that is Alice's alone. */
export async function hidden(scene: Scene): Promise<string> {
  return (await scene.host.set('salaries', scene.secret.value, { namespace: 'user:alice' })).refId
}

/** The secret, where agents may compute with it and users may see it. */
export async function usable(scene: Scene): Promise<string> {
  return (await scene.host.set('salaries', scene.secret.value, { policy: AccessPolicy.executeOnly })).refId
}

/** The reference itself, and one to a value of the attacker's that holds it: what names a secret, and what leads to it. */
export async function waysTo(attacker: Person, refId: string): Promise<string[]> {
  return [refId, refOf(await attacker.call('store', { value: { x: [refId] } }))]
}

/** One who may see what `usable` hides from agents. */
export function reader(scene: Scene): Promise<Person> {
  return scene.victim({ kind: 'user', id: 'alice' })
}

/** The reference that an answer carries. */
export function refOf({ body, said }: Answer): string {
  if (typeof body.ref_id !== 'string') throw new Error(`No reference in: ${said}`)
  return body.ref_id
}

/** Whatever the attacker does to the reference is answered as if it did not exist. */
export async function looksUnknown(scene: Scene, attacker: Person, refId: string): Promise<void> {
  for (const act of scene.door.acts) {
    const unknown = await answerToUnknown(scene, attacker, act)
    const { said } = await attacker.act(act, refId)
    expect(said.replaceAll(refId, '<ref>'), act).toBe(unknown)
  }
}

const toUnknown = new WeakMap<Person, Map<Act, string>>()

/** What the attacker hears of a reference that does not exist: asked once, since it must be the same each time. */
async function answerToUnknown(scene: Scene, attacker: Person, act: Act): Promise<string> {
  const known = toUnknown.get(attacker) ?? new Map<Act, string>()
  toUnknown.set(attacker, known)
  const other = madeUp(scene)
  // A list names no reference: it says what there is by now.
  const said = act === 'list' ? undefined : known.get(act)
  const unknown = said ?? (await attacker.act(act, other)).said.replaceAll(other, '<ref>')
  known.set(act, unknown)
  return unknown
}

/** A call with the reference somewhere in its input is answered as one with a made-up reference there. */
export async function unusable(
  scene: Scene,
  attacker: Person,
  refId: string,
  inputWith: (refId: string) => unknown = ref => ref,
): Promise<void> {
  const other = madeUp(scene)
  const ask = (ref: string) => attacker.call('echo', { value: inputWith(ref) })
  const [unknown, forbidden] = [await ask(other), await ask(refId)]
  expect(forbidden.said.replaceAll(refId, '<ref>'), 'a call with it').toBe(
    unknown.said.replaceAll(other, '<ref>'),
  )
  expect(forbidden.code).toBe('not_found')
}

/** What the victim is told must not change by what the attacker does. */
export async function unharmed(victim: Person, refId: string, attack: () => Promise<unknown>): Promise<void> {
  const before = await victim.act('get', refId, { format: 'full' })
  await attack()
  const after = await victim.act('get', refId, { format: 'full' })
  expect(after.said).toBe(before.said)
}

/** The victim was told the secret: the attack was upon something that is there. */
export function toldTo(scene: Scene, victim: Person): void {
  const heard = victim.heard.join('\n')
  expect(scene.secret.foundIn(heard), 'what the victim may know').toBeDefined()
}

/** Until the task has ended, as the host sees it. */
export async function settled({ host }: Scene, refId: string): Promise<void> {
  await host.get(refId, { actor: actor.system(), wait: '1h' })
}

const BARE = ['ref_id', 'status', 'is_complete', 'is_async', 'message']

/** A reference and no more: neither the value nor what tells of it, such as its size. */
export function bare({ body, code, said }: Answer): void {
  expect(code, said).toBeUndefined()
  expect(said).not.toMatch(/size|bytes|total/i)
  expect(body).toMatchObject({ status: 'complete', is_complete: false })
  expect(Object.keys(body).filter(name => !BARE.includes(name))).toEqual([])
}
