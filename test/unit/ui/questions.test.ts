import { expect, it } from 'vitest'
import type { TaskContext } from '../../../src/core/handler.ts'
import { jsonOf, operatorLooks } from './looking.ts'

const FORM = { type: 'object', properties: { name: { type: 'string' } } }
const SAMPLING = { messages: [{ role: 'user', content: { type: 'text', text: 'Sum it up.' } }], maxTokens: 9 }

it.each<[string, (task: TaskContext) => Promise<object>, object]>([
  [
    'a form',
    (task: TaskContext) => task.elicit({ message: 'Who?', requestedSchema: FORM }),
    { message: 'Who?', schema: FORM },
  ],
  [
    'a web page',
    (task: TaskContext) => task.elicit({ mode: 'url', message: 'Sign in.', url: 'https://example.com/' }),
    { message: 'Sign in.', url: 'https://example.com/' },
  ],
  [
    'a model',
    (task: TaskContext) => task.sample(SAMPLING),
    { message: expect.any(String), isForModel: true },
  ],
])('an opened task says that it asks %s', async (_, question, asked) => {
  const { cache, clock, ask } = operatorLooks()
  const asks = cache.cached({ name: 'asks', asyncTimeout: 0, memoize: false }, (_: object, task) =>
    question(task),
  )
  const { refId } = await asks({}, { interactive: true })
  await clock.advance('1s')
  const { questions } = await jsonOf(ask(`api/entry?ref=${refId}`))
  expect(Object.values(questions)).toEqual([asked])
})
