import { InvalidArgument } from '../core/errors.ts'
import type { Executor } from './executor.ts'
import { type ExecutableTool, runHandler } from './executor-handler.ts'

/** Runs handlers on this process's event loop. One that ignores its signal goes on until it ends by itself. */
export function inProcessExecutor(tools: readonly ExecutableTool[]): Executor {
  return {
    execute(toolName, input, context) {
      const tool = tools.find(({ name }) => name === toolName)
      if (tool) return runHandler(tool, input, context)
      const message = `The executor lacks the tool '${toolName}'. Give it to the executor.`
      return Promise.reject(new InvalidArgument(message))
    },
  }
}
