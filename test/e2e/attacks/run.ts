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

/**
 * Which of the two stores outside of this process a row meets at a door of MCP, in turns. At memory each row tries each door, and through
 * the library each row tries each store: what only shows where the two meet is tried on one such store, or on the only one that the row has.
 */
export function isInTurn(name: 'sqlite' | 'redis') {
  return (row: Attack, door: DoorKind): boolean => {
    const other = STORES.find(store => store.name === (name === 'sqlite' ? 'redis' : 'sqlite')) as StoreKind
    if (!other.available || !rowsFor(other, door).includes(row)) return true
    return (ATTACKS.indexOf(row) + PROTOCOL_DOORS.indexOf(door)) % 2 === (name === 'sqlite' ? 0 : 1)
  }
}

/** The engine as it is, and a client that can do the most. */
const QUICK_DOORS: readonly DoorKind[] = [libraryDoor, native2026]

/** What is tried for every change: every row that any door has, once without a protocol and once with it. */
export function isQuick(row: Attack, door: DoorKind): boolean {
  const canTryIt = ({ abilities }: DoorKind) =>
    row.needs?.every(ability => abilities.includes(ability)) ?? true
  return QUICK_DOORS.includes(door) || (door === http2025 && !QUICK_DOORS.some(canTryIt))
}

export function rowsFor(store: StoreKind, door: DoorKind): Attack[] {
  return ATTACKS.filter(
    ({ needs = [], stores = [store.name] }) =>
      needs.every(ability => door.abilities.includes(ability)) && stores.includes(store.name),
  )
}

/** Every row of the table that can be tried on a store, through each of these doors, where it is wanted there. */
export function attackOn(
  name: StoreKind['name'],
  doors: readonly DoorKind[],
  isWanted: (row: Attack, door: DoorKind) => boolean = () => true,
): void {
  const store = STORES.find(one => one.name === name) as StoreKind
  afterAll(() => store.end())
  for (const door of doors) {
    const rows = rowsFor(store, door).filter(row => isWanted(row, door))
    if (rows.length === 0) continue
    describe.skipIf(!store.available)(`on ${store.name}, through ${door.name}, nothing leaks by`, () => {
      for (const row of rows) {
        it(`${row.id}: ${row.tries}`, () => attack(row, store, door))
      }
    })
  }
}
