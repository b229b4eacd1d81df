import { existsSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { Attack, DoorKind } from './attacks/door.ts'
import { httpDoor } from './attacks/http-door.ts'
import { libraryDoor, trustingDoor } from './attacks/library-door.ts'
import { nativeDoor } from './attacks/native-door.ts'
import { attack } from './attacks/scene.ts'
import { STORES, type StoreKind } from './attacks/stores.ts'
import { ATTACKS } from './attacks.ts'

const DOORS: readonly DoorKind[] = [
  libraryDoor,
  httpDoor('2026-07-28'),
  httpDoor('2025-11-25'),
  nativeDoor('2026-07-28'),
  nativeDoor('2025-11-25'),
]

function rowsFor(store: StoreKind, door: DoorKind): Attack[] {
  return ATTACKS.filter(
    ({ needs = [], stores = [store.name] }) =>
      needs.every(ability => door.abilities.includes(ability)) && stores.includes(store.name),
  )
}

afterAll(() => Promise.all(STORES.map(store => store.end())))

for (const store of STORES) {
  for (const door of DOORS) {
    describe.skipIf(!store.available)(`on ${store.name}, through ${door.name}, nothing leaks by`, () => {
      for (const row of rowsFor(store, door)) {
        it(`${row.id}: ${row.tries}`, () => attack(row, store, door))
      }
    })
  }
}

describe('the table', () => {
  it('has one row of each name, and each row is tried at some door', () => {
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length)
    const tried = new Set(STORES.flatMap(store => DOORS.flatMap(door => rowsFor(store, door))))
    expect(ATTACKS.filter(row => !tried.has(row))).toEqual([])
  })

  it('names files that are there', () => {
    const missing = ATTACKS.filter(
      ({ guardedBy }) => !existsSync(new URL(`../../${guardedBy}`, import.meta.url)),
    )
    expect(missing.map(({ id, guardedBy }) => `${id}: ${guardedBy}`)).toEqual([])
  })

  const [memory] = STORES as [StoreKind]
  for (const row of rowsFor(memory, trustingDoor).filter(({ aboutIdentity }) => aboutIdentity !== false)) {
    it(`can fail: ${row.id} works where everybody is trusted`, async () => {
      await expect(attack(row, memory, trustingDoor)).rejects.toThrow()
    })
  }
})
