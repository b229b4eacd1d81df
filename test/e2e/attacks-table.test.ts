import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { trustingDoor } from './attacks/library-door.ts'
import { DOORS, isInTurn, isQuick, PROTOCOL_DOORS, rowsFor } from './attacks/run.ts'
import { attack } from './attacks/scene.ts'
import { STORES, type StoreKind } from './attacks/stores.ts'
import { ATTACKS } from './attacks.ts'

describe('the table', () => {
  it('has one row of each name, and each row is tried at some door', () => {
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length)
    const tried = new Set(STORES.flatMap(store => DOORS.flatMap(door => rowsFor(store, door))))
    expect(ATTACKS.filter(row => !tried.has(row))).toEqual([])
  })

  it('has no row that only the slow part tries on memory', () => {
    const [memory] = STORES as [StoreKind]
    const tried = DOORS.flatMap(door => rowsFor(memory, door).map(row => ({ row, door })))
    const quick = new Set(tried.filter(({ row, door }) => isQuick(row, door)).map(({ row }) => row))
    expect(tried.filter(({ row }) => !quick.has(row))).toEqual([])
  })

  it('has no row that some door of MCP tries on memory alone, where the row has a store outside of the process', () => {
    const outside = STORES.filter(({ name }) => name !== 'memory')
    const wanted = PROTOCOL_DOORS.flatMap(door =>
      ATTACKS.filter(row => outside.some(store => rowsFor(store, door).includes(row))).map(row => ({
        row,
        door,
      })),
    )
    const tried = (name: 'sqlite' | 'redis', { row, door }: (typeof wanted)[number]) =>
      outside.some(store => store.name === name && rowsFor(store, door).includes(row)) &&
      isInTurn(name)(row, door)
    expect(wanted.filter(one => !tried('sqlite', one) && !tried('redis', one))).toEqual([])
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
