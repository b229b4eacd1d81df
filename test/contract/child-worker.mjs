// Runs handlers for `child-executor.ts`: messages are all it has of its parent. It runs the built package, as a user's process would.
import { fromErrorData, inProcessExecutor, toErrorData } from '../../dist/index.js'
import { executorTools } from '../../dist/testing/index.js'

const executor = inProcessExecutor(executorTools)
const executions = new Map()

process.on('message', message => {
  const execution = executions.get(message.id)
  if (message.type === 'execute') void execute(message)
  if (message.type === 'abort') execution?.controller.abort(fromErrorData(message.reason))
  if (message.type === 'appended') execution?.pieces.get(message.number)?.(message)
  if (message.type === 'answer') execution?.questions.get(message.question)?.(message)
})
process.on('disconnect', () => process.exit())

async function execute({ id, toolName, input, context }) {
  const controller = new AbortController()
  const questions = new Map()
  const pieces = new Map()
  executions.set(id, { controller, questions, pieces })
  const send = message => process.send({ id, ...message })
  try {
    const result = await executor.execute(toolName, input, {
      ...context,
      signal: controller.signal,
      progress: report => send({ type: 'progress', report }),
      append: piece => append({ send, pieces, piece }),
      ask: (method, params, signal) => ask({ send, questions, method, params, signal }),
    })
    send({ type: 'result', result })
  } catch (error) {
    send({ type: 'error', error: toErrorData(error) })
  } finally {
    executions.delete(id)
  }
}

async function append({ send, pieces, piece }) {
  const number = pieces.size
  const { error } = await new Promise(resolve => {
    pieces.set(number, resolve)
    send({ type: 'append', number, piece })
  })
  if (error) throw fromErrorData(error)
}

async function ask({ send, questions, method, params, signal }) {
  signal?.throwIfAborted()
  const question = questions.size
  const withdraw = () => send({ type: 'withdraw', question, reason: toErrorData(signal.reason) })
  const { answer, error } = await new Promise(resolve => {
    questions.set(question, resolve)
    send({ type: 'ask', question, method, params: JSON.parse(JSON.stringify(params)) })
    signal?.addEventListener('abort', withdraw)
  })
  signal?.removeEventListener('abort', withdraw)
  if (error) throw fromErrorData(error)
  return answer
}
