import { afterAll, describe, it } from 'vitest'
import { ATTACKS } from '../attacks.ts'
import type { Attack, DoorKind } from './door.ts'
import { httpDoor } from './http-door.ts'
import { libraryDoor } from './library-door.ts'
import { nativeDoor } from './native-door.ts'
import { attack } from './scene.ts'
import { STORES, type StoreKind } from './stores.ts'

const http2026 = httpDoor('2026-07-28')
const http2025 = httpDoor('2025-11-25')
const native2026 = nativeDoor('2026-07-28')
const native2025 = nativeDoor('2025-11-25')

/** MCP, as its clients come in. */
export const PROTOCOL_DOORS: readonly DoorKind[] = [http2026, http2025, native2026, native2025]

export const DOORS: readonly DoorKind[] = [libraryDoor, ...PROTOCOL_DOORS]

/** Between them they can do all that any door can. */
export const QUICK_DOORS: readonly DoorKind[] = [libraryDoor, http2025, native2026]

export function rowsFor(store: StoreKind, door: DoorKind): Attack[] {
  return ATTACKS.filter(
    ({ needs = [], stores = [store.name] }) =>
      needs.every(ability => door.abilities.includes(ability)) && stores.includes(store.name),
  )
}

/** Every row of the table that can be tried on a store, through each of these doors. */
export function attackOn(name: StoreKind['name'], doors: readonly DoorKind[]): void {
  const store = STORES.find(one => one.name === name) as StoreKind
  afterAll(() => store.end())
  for (const door of doors) {
    describe.skipIf(!store.available)(`on ${store.name}, through ${door.name}, nothing leaks by`, () => {
      for (const row of rowsFor(store, door)) {
        it(`${row.id}: ${row.tries}`, () => attack(row, store, door))
      }
    })
  }
}
