import { afterEach, expect, it } from 'vitest'
import { currentUser, isForeign } from '../../../src/core/current-user.ts'

const known = process.geteuid as () => number
afterEach(() => {
  process.geteuid = known
})

it('a file is foreign where its owner is another than the user of the process', () => {
  process.geteuid = () => 501
  expect(currentUser()).toBe(501)
  expect([501, 0].map(isForeign)).toEqual([false, true])
})

it.each<[string, (() => number) | undefined]>([
  ['there are no users', undefined],
  [
    'the user may not be asked for',
    () => {
      throw new Error('Requires sys access')
    },
  ],
])('no file is foreign where %s', (_, geteuid) => {
  if (geteuid) process.geteuid = geteuid
  else delete process.geteuid
  expect(currentUser()).toBeUndefined()
  expect([501, 0].map(isForeign)).toEqual([false, false])
})
