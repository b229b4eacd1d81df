import { describe, expect, it } from 'vitest'
import { endOfParsing } from '../../../src/cli/command.ts'
import { workArguments, workCommandLine } from '../../../src/cli/work-options.ts'

const QUEUE = ['--module', 'tools.js', '--store', 'redis://localhost:6379']
const parse = (...more: string[]) => parseLine([...QUEUE, ...more])

function parseLine(argv: readonly string[]) {
  const line = workCommandLine()
  try {
    line.parse(argv, { from: 'user' })
  } catch (error) {
    throw new Error(`ended with ${endOfParsing(error)}`)
  }
  return workArguments(line.opts())
}

describe('mcp-refcache work', () => {
  it('needs tools and a store, and takes the queue from where that is', () => {
    expect(parse()).toEqual({
      modules: ['tools.js'],
      store: 'redis://localhost:6379',
      connection: 'redis://localhost:6379',
      drain: '30s',
      logLevel: 'info',
      json: false,
    })
  })

  it('takes all that it says in its help', () => {
    const line = ['--module', 'more.js', '--connection', 'rediss://queue', '--queue', 'slow', '--prefix', 'q']
    const rest = ['--name', 'files', '--concurrency', '3', '--lease', '5s', '--drain', '1m', '--json']
    expect(parse(...line, ...rest, '--log-level', 'warn')).toEqual({
      modules: ['tools.js', 'more.js'],
      store: 'redis://localhost:6379',
      connection: 'rediss://queue',
      queue: 'slow',
      prefix: 'q',
      name: 'files',
      concurrency: 3,
      lease: '5s',
      drain: '1m',
      logLevel: 'warn',
      json: true,
    })
  })

  it.each([
    [['--store', 'redis://localhost'], 'Say which tools this worker has'],
    [['--module', 'tools.js'], "Give the fronts' store"],
    [['--module', 'tools.js', '--store', 'cache.db'], '--connection redis://'],
    [[...QUEUE, '--concurrency', '0'], '--concurrency takes a whole number from 1'],
    [[...QUEUE, '--drain', '3'], '--drain takes a time'],
    [[...QUEUE, '--concurency', '3'], 'Did you mean --concurrency?'],
    [[...QUEUE, '--log-level', 'loud'], '--log-level is one of'],
    [[...QUEUE, '--name', 'a b'], 'name'],
    [[...QUEUE, 'word'], 'Too many arguments'],
  ])('refuses %j', (line, message) => {
    expect(() => parseLine(line)).toThrow(message)
  })
})
