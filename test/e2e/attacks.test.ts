import { existsSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { ATTACKS } from './attacks.ts'
import type { Attack, DoorKind } from './attacks/door.ts'
import { httpDoor } from './attacks/http-door.ts'
import { libraryDoor, trustingDoor } from './attacks/library-door.ts'
import { attack } from './attacks/scene.ts'
import { STORES, type StoreKind } from './attacks/stores.ts'

const DOORS: readonly DoorKind[] = [libraryDoor, httpDoor('2026-07-28'), httpDoor('2025-11-25')]

function rowsFor(store: StoreKind, door: DoorKind): Attack[] {
  return ATTACKS.filter(
    ({ needs = [], stores = [store.name] }) =>
      needs.every(ability => door.abilities.includes(ability)) && stores.includes(store.name),
  )
}

afterAll(() => Promise.all(STORES.map(store => store.end())))

describe.for(STORES)('on $name', store => {
  describe.skipIf(!store.available).for(DOORS)('through $name', door => {
    it.for(rowsFor(store, door))('nothing leaks by: $tries ($id)', row => attack(row, store, door))
  })
})

describe('the table', () => {
  it('has one row of each name, and each row is tried at some door', () => {
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length)
    const tried = new Set(STORES.flatMap(store => DOORS.flatMap(door => rowsFor(store, door))))
    expect(ATTACKS.filter(row => !tried.has(row))).toEqual([])
  })

  it.for(ATTACKS)('names a file that is there: $id', ({ guardedBy }) => {
    expect(existsSync(new URL(`../../${guardedBy}`, import.meta.url))).toBe(true)
  })

  const [memory] = STORES as [StoreKind]
  const aboutIdentity = rowsFor(memory, trustingDoor).filter(row => row.aboutIdentity !== false)
  it.for(aboutIdentity)('has rows that can fail: $id works where everybody is trusted', async row => {
    await expect(attack(row, memory, trustingDoor)).rejects.toThrow()
  })
})
