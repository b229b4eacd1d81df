import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { EncodedValue } from '../../src/core/codec.ts'
import { WorkerLost } from '../../src/core/errors.ts'
import type { ProgressReport } from '../../src/core/handler.ts'
import type { JsonObject, JsonValue } from '../../src/core/json.ts'
import type { Piece } from '../../src/core/piece.ts'
import type { AskMethod } from '../../src/core/question.ts'
import type { Appended, ExecutionContext, Executor } from '../../src/execution/executor.ts'
import { type ErrorData, fromErrorData, toErrorData } from '../../src/execution/executor-errors.ts'

/** What the child says of one execution. */
type Reply = { readonly id: number } & (
  | { type: 'progress'; report: ProgressReport }
  | { type: 'ask'; question: number; method: AskMethod; params: JsonObject }
  | { type: 'withdraw'; question: number; reason: ErrorData }
  | { type: 'append'; number: number; piece: Piece }
  | { type: 'result'; result: EncodedValue | Appended }
  | { type: 'error'; error: ErrorData }
)

/** One execution in the child, as this process knows it. */
interface Execution {
  readonly context: ExecutionContext
  readonly questions: Map<number, AbortController>
  settle(result: EncodedValue | Appended): void
  fail(error: Error): void
}

/**
 * Runs the tools of the executor suite in a child process, which knows of this one by messages alone. It proves that
 * the contract needs no more; a new child follows one that was killed.
 */
export function childExecutor(): { executor: Executor; kill(): Promise<void> } {
  const executions = new Map<number, Execution>()
  let child: ChildProcess | undefined
  let nextId = 1

  function start(): ChildProcess {
    const worker = fileURLToPath(new URL('./child-worker.mjs', import.meta.url))
    const started = fork(worker, { serialization: 'advanced' })
    started.on('message', message => hear(started, message as Reply))
    started.on('exit', () => {
      if (child === started) child = undefined
      for (const { fail } of executions.values())
        fail(new WorkerLost('The process that ran this task was killed.'))
      executions.clear()
    })
    return started
  }

  function hear(from: ChildProcess, reply: Reply): void {
    const execution = executions.get(reply.id)
    if (!execution) return
    const { context, questions, settle, fail } = execution
    if (reply.type === 'progress') context.progress(reply.report)
    if (reply.type === 'ask') void answer(from, execution, reply)
    if (reply.type === 'append') void append(from, execution, reply)
    if (reply.type === 'withdraw') questions.get(reply.question)?.abort(fromErrorData(reply.reason))
    if (reply.type === 'result') settle(reply.result)
    if (reply.type === 'error') fail(fromErrorData(reply.error))
  }

  async function append(
    from: ChildProcess,
    { context }: Execution,
    { id, number, piece }: Extract<Reply, { type: 'append' }>,
  ): Promise<void> {
    const outcome = await context.append(piece).then(
      () => ({}),
      (error: unknown) => ({ error: toErrorData(error) }),
    )
    if (from.connected) from.send({ type: 'appended', id, number, ...outcome })
  }

  async function answer(
    from: ChildProcess,
    { context, questions }: Execution,
    { id, question, method, params }: Extract<Reply, { type: 'ask' }>,
  ): Promise<void> {
    const withdrawal = new AbortController()
    questions.set(question, withdrawal)
    const outcome = await context.ask(method, params, withdrawal.signal).then(
      given => ({ answer: given }),
      (error: unknown) => ({ error: toErrorData(error) }),
    )
    questions.delete(question)
    if (from.connected) from.send({ type: 'answer', id, question, ...outcome })
  }

  async function execute(
    toolName: string,
    input: JsonValue,
    context: ExecutionContext,
  ): Promise<EncodedValue | Appended> {
    child ??= start()
    const worker = child
    const id = nextId++
    const abort = () =>
      worker.connected && worker.send({ type: 'abort', id, reason: toErrorData(context.signal.reason) })
    try {
      return await new Promise<EncodedValue | Appended>((settle, fail) => {
        executions.set(id, { context, questions: new Map(), settle, fail })
        const { refId, attempt, startedBy, encoding } = context
        worker.send({
          type: 'execute',
          id,
          toolName,
          input,
          context: { refId, attempt, startedBy, encoding },
        })
        context.signal.addEventListener('abort', abort)
        if (context.signal.aborted) abort()
      })
    } finally {
      context.signal.removeEventListener('abort', abort)
      executions.delete(id)
    }
  }

  async function kill(): Promise<void> {
    const killed = child
    if (!killed) return
    const gone = once(killed, 'exit')
    killed.kill('SIGKILL')
    await gone
  }

  return { executor: { execute, close: kill }, kill }
}
