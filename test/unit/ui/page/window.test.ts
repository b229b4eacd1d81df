import { expect, it } from 'vitest'
import { ROW_HEIGHT, scrolledTo, shownCount, windowAt } from '../../../../src/ui/page/stored/window.ts'

it('only what is in view, and some around it, stands in the page', () => {
  const { first, end } = windowAt(5_000 * ROW_HEIGHT, 10 * ROW_HEIGHT, 10_000)
  expect(first).toBeLessThanOrEqual(5_000)
  expect(end).toBeGreaterThanOrEqual(5_010)
  expect(end - first).toBeLessThan(50)
})

it('begins and ends with the list', () => {
  expect(windowAt(0, 400, 3)).toEqual({ first: 0, end: 3 })
  expect(windowAt(-80, 400, 100).first).toBe(0)
  expect(windowAt(99 * ROW_HEIGHT, 400, 100).end).toBe(100)
})

it('stays the same while one scrolls within a row', () => {
  expect(windowAt(51, 400, 100)).toEqual(windowAt(1, 400, 100))
})

it('a list is as long as the server says, as far ahead as a page may be asked for', () => {
  expect(shownCount(200, false, 500)).toBe(200)
  expect(shownCount(200, true, 10_000)).toBe(10_000)
  expect(shownCount(200, true, 1_000_000)).toBe(20_200)
  expect(shownCount(200, true, undefined)).toBeGreaterThan(200)
})

it('scrolls only as far as a row needs', () => {
  expect(scrolledTo(3, 0, 10 * ROW_HEIGHT)).toBe(0)
  expect(scrolledTo(10, 0, 10 * ROW_HEIGHT)).toBe(ROW_HEIGHT)
  expect(scrolledTo(2, 5 * ROW_HEIGHT, 10 * ROW_HEIGHT)).toBe(2 * ROW_HEIGHT)
})
