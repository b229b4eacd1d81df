import { FakeClock } from '../../../src/testing/fake-clock.ts'
import type { Attack, DoorKind, Identity, Person, Scene } from './door.ts'
import { Gates } from './gates.ts'
import { Secret } from './secret.ts'
import type { StoreKind } from './stores.ts'

/** Where a word of the secret reached somebody who must not know it. */
export class Leak extends Error {
  override readonly name = 'Leak'
}

/**
 * Runs one attack on an empty store behind one door.
 * @throws Leak where a piece of the secret was heard; what the row itself throws where the attack worked
 */
export async function attack(row: Attack, store: StoreKind, kind: DoorKind): Promise<void> {
  const place = await store.open()
  const [clock, secret, gates] = [new FakeClock(), new Secret(), new Gates()]
  const options = { name: 'vault', clock, store: place.store, ...row.cache }
  const door = await kind.open({ options, secret, gates, attach: row.attach ?? {} })
  const attackers: Person[] = []
  const overheard: string[] = []
  const attacker = async (identity: Identity) => {
    const person = await door.enter(identity)
    attackers.push(person)
    return person
  }
  const scene: Scene = {
    ...{ door, clock, secret, gates, attacker },
    host: door.cache,
    store: place.store,
    storeName: store.name,
    madeUp: new Set(),
    alice: await door.enter({ id: 'alice' }),
    mallory: await attacker({ id: 'mallory' }),
    victim: identity => door.enter(identity),
    overheard: words => overheard.push(words),
  }
  try {
    await row.attempt(scene)
    for (const person of attackers) await chase(scene, person)
    refuseLeaks(secret, [...attackers.flatMap(person => person.heard), ...overheard])
  } finally {
    gates.openAll()
    await door.close()
    await place.remove()
  }
}

const MOST_CHASED = 50
const FOLLOWING = ['get', 'status', 'resolve'] as const

/** Whatever reference an attacker has come to know of, it follows, and those that it learns of on the way. */
async function chase({ door, host, madeUp }: Scene, person: Person): Promise<void> {
  const form = new RegExp(`${host.name}:[0-9a-f]{32}`, 'g')
  // A set that is gone through hears of what is added meanwhile.
  const known = new Set(
    person.heard
      .join('\n')
      .match(form)
      ?.filter(refId => !madeUp.has(refId)),
  )
  for (const refId of known) {
    if (known.size > MOST_CHASED) return
    for (const act of FOLLOWING.filter(each => door.acts.includes(each))) {
      const { said } = await person.act(act, refId, act === 'get' ? { format: 'full' } : {})
      for (const further of said.match(form) ?? []) known.add(further)
    }
  }
}

function refuseLeaks(secret: Secret, heard: readonly string[]): void {
  for (const words of heard) {
    const piece = secret.foundIn(words)
    if (piece !== undefined) throw new Leak(`${piece} was told: ${words.slice(0, 2_000)}`)
  }
}
