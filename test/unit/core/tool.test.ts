import { describe, expect, it } from 'vitest'
import { Permission } from '../../../src/access/permission.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'
import type { StandardSchema } from '../../../src/core/standard-schema.ts'
import { checkTags, defineTool } from '../../../src/core/tool.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'

const handler = () => 1
const define = (options: object = {}) => defineTool({ name: 'tool', ...options } as ToolOptions, handler)
const input: StandardSchema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) },
}

describe('a tool', () => {
  it('has defaults for what is left open', () => {
    const { retry, ...tool } = define()
    expect(tool).toEqual({
      name: 'tool',
      handler,
      hardTimeout: 3_600_000,
      ttlMode: 'fixed',
      namespace: 'public',
      resolveRefs: true,
      declassifies: false,
      sharedInput: false,
      memoize: true,
      tags: [],
      invalidates: [],
      idempotent: false,
      verbatim: false,
      responseFormat: 'standard',
    })
    expect(retry).toMatchObject({ maxRetries: 0, delay: 1_000, factor: 2 })
  })

  it.each<[object, object]>([
    [{ asyncTimeout: '3s' }, { asyncTimeout: 3_000 }],
    [{ asyncTimeout: 0 }, { asyncTimeout: 0 }],
    [{ hardTimeout: '5m' }, { hardTimeout: 300_000 }],
    [{ hardTimeout: null }, { hardTimeout: undefined }],
    [{ ttl: '1h' }, { ttl: '1h' }],
    [{ ttl: null }, { ttl: null }],
    [{ ttl: 0 }, { ttl: 0 }],
    [{ ttlMode: 'sliding' }, { ttlMode: 'sliding' }],
    [{ namespace: 'user:ann' }, { namespace: 'user:ann' }],
    [{ policy: { user: Permission.READ } }, { policy: { user: Permission.READ } }],
    [{ resolveRefs: ['rows'] }, { resolveRefs: ['rows'] }],
    [{ declassifies: true }, { declassifies: true }],
    [{ sharedInput: true }, { sharedInput: true }],
    // What a schema copies is not shared any more.
    [
      { sharedInput: true, input },
      { sharedInput: false, input },
    ],
    [{ memoize: false }, { memoize: false }],
    [{ tags: ['a', 'b'] }, { tags: ['a', 'b'] }],
    [{ tags: handler }, { tags: handler }],
    [{ invalidates: ['get_*'] }, { invalidates: ['get_*'] }],
    [{ readOnly: false }, { readOnly: false }],
    [{ idempotent: true }, { idempotent: true }],
    [{ executor: 'threads' }, { executor: 'threads' }],
    [{ maxConcurrentTasks: 1 }, { maxConcurrentTasks: 1 }],
    [{ preview: { maxSize: 5 } }, { preview: { maxSize: 5 } }],
    [{ projection: 'rows' }, { projection: 'rows' }],
    [{ verbatim: true }, { verbatim: true }],
    [{ responseFormat: 'full' }, { responseFormat: 'full' }],
    [{ responseFormat: 'minimal' }, { responseFormat: 'minimal' }],
    [{ inputJsonSchema: { type: 'object' } }, { inputJsonSchema: { type: 'object' } }],
    [{ outputSchema: { type: 'string' } }, { outputSchema: { type: 'string' } }],
    [{ replace: true }, { name: 'tool' }],
    [
      { maxRetries: 3, retryDelay: '2s', retryBackoffFactor: 3 },
      { retry: expect.objectContaining({ maxRetries: 3, delay: 2_000, factor: 3 }) },
    ],
    [{ retryable: handler }, { retry: expect.objectContaining({ retryable: handler }) }],
  ])('takes %j', (options, taken) => {
    expect(define(options)).toMatchObject(taken)
  })

  it.each<[object, RegExp]>([
    [{ name: '' }, /needs a name of 1 to 256/],
    [{ name: 'x'.repeat(257) }, /needs a name of 1 to 256/],
    [{ name: 7 }, /needs a name of 1 to 256/],
    [{ asyncTimeout: -1 }, /asyncTimeout must be milliseconds/],
    [{ hardTimeout: 0 }, /hardTimeout must be longer than 0/],
    [{ ttl: 'soon' }, /ttl must be milliseconds/],
    [{ ttlMode: 'rolling' }, /ttlMode is one of fixed, sliding/],
    [{ policy: { polcy: 1 } }, /policy has no field 'polcy'/],
    [{ resolveRefs: 'all' }, /resolveRefs is true, false/],
    [{ tags: 'a' }, /^tags is a list of at most 100 texts of 1 to 256/],
    [{ invalidates: [''] }, /^invalidates is a list/],
    [{ maxRetries: -1 }, /maxRetries must be an integer/],
    [{ maxConcurrentTasks: 0 }, /maxConcurrentTasks must be an integer of 1/],
    [{ preview: { maxSize: 0 } }, /preview.maxSize must be/],
    [{ responseFormat: 'brief' }, /responseFormat is one of minimal, standard, full/],
    [{ asynctimeout: 1 }, /Tool 'tool' has no option 'asynctimeout'.*'asyncTimeout'/],
  ])('refuses %j', (options, message) => {
    expect(() => define(options)).toThrow(InvalidArgument)
    expect(() => define(options)).toThrow(message)
  })

  it('may have a name of 256 characters', () => {
    expect(define({ name: 'x'.repeat(256) }).name).toHaveLength(256)
  })

  it.each([undefined, null, 'handler', {}])('needs a handler, not %j', given => {
    expect(() => defineTool({ name: 'tool' }, given as never)).toThrow(
      "Tool 'tool' needs a handler function.",
    )
  })
})

describe('tags', () => {
  it.each([
    [[]],
    [['a']],
    [['x'.repeat(256)]],
    [['line\nbreak', '🎉'.repeat(256)]],
    [Array.from({ length: 100 }, () => 'a')],
  ])('may be given', tags => {
    expect(checkTags(tags)).toEqual(tags)
    // Whoever gave them may change the list later.
    expect(checkTags(tags)).not.toBe(tags)
  })

  it.each<[unknown]>([
    ['a'],
    [undefined],
    [['']],
    [['a', '']],
    [[1]],
    [['x'.repeat(257)]],
    [Array.from({ length: 101 }, () => 'a')],
  ])('may not be given', tags => {
    expect(() => checkTags(tags as string[])).toThrow(InvalidArgument)
    expect(() => checkTags(tags as string[])).toThrow(/^tags is a list of at most 100 texts/)
  })
})

describe('where a handler is', () => {
  const run = { module: new URL('file:///tools.js'), export: 'crawl' }

  it('is a module and an export, for an executor that is named', () => {
    expect(define({ executor: 'threads', run })).toMatchObject({ executor: 'threads', run })
    expect(define({ executor: 'threads', run: { ...run, module: './tools.js' } }).run?.module).toBe(
      './tools.js',
    )
    expect(define({ executor: 'threads' }).run).toBeUndefined()
  })

  it.each([
    null,
    {},
    { ...run, module: '' },
    { ...run, module: 7 },
    { module: run.module },
    { ...run, export: 7 },
  ])('is nothing else: %j', wrong => {
    expect(() => define({ executor: 'threads', run: wrong })).toThrow(/run` of tool 'tool' says where/)
  })

  it('is of no use without one', () => expect(() => define({ run })).toThrow(/names no `executor`/))
})
