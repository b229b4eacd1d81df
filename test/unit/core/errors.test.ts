import { expect, it } from 'vitest'
import * as errors from '../../../src/core/errors.ts'

type ErrorClass = new (message: string) => errors.RefCacheError

const classes = Object.entries<unknown>(errors).filter(
  (entry): entry is [string, ErrorClass] =>
    typeof entry[1] === 'function' && entry[1].prototype instanceof errors.RefCacheError,
)

it('covers the classes', () => expect(classes.length).toBeGreaterThan(15))

it.each(classes)('%s says its name, also where a minifier renamed its class', (name, Class) => {
  const expected = name === 'UnreadableValue' ? 'StoreUnavailable' : name
  const error = new Class('what')
  // A minifier leaves the class another name, not its strings.
  Object.defineProperty(Class, 'name', { value: 'a' })
  expect(new Class('what').name).toBe(expected)
  expect(error.name).toBe(expected)
})
