/** Tools that take their time, and become tasks for clients that know tasks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { acceptedContent, inputRequired, type McpServer, ProtocolError } from '@modelcontextprotocol/server'
import type { JsonObject, TaskContext } from 'mcp-refcache'
import type { AttachedRefCache } from 'mcp-refcache/mcp'
import { z } from 'zod'

/** What asks sooner is answered with its questions, and never becomes a task. */
const LONGER_THAN_THE_GRACE = 700

const yes = z.object({ confirm: z.boolean() })
const named = z.object({ name: z.string() })

/** A JSON Schema as a question wants it, without the words that are no concern of a form. */
function form(schema: z.ZodType): JsonObject {
  const { $schema: _, additionalProperties: __, ...requestedSchema } = z.toJSONSchema(schema) as JsonObject
  return requestedSchema
}

export function registerTaskTools(server: McpServer, registerTool: AttachedRefCache['registerTool']): void {
  // Not through the cache: its answer has to be this text and nothing else.
  server.registerTool(
    'greet',
    { description: 'Greets at once.', inputSchema: named },
    ({ name }: { name: string }) => ({ content: [{ type: 'text', text: `Hello, ${name}!` }] }),
  )

  registerTool(
    'slow_compute',
    {
      description: 'Computes for some seconds.',
      inputSchema: z.object({ seconds: z.number().min(0), label: z.string().optional() }),
    },
    async ({ seconds, label }, { signal }) => {
      await sleep(seconds * 1000, undefined, { signal })
      return { label, seconds }
    },
  )

  registerTool(
    'failing_job',
    { description: 'Fails after a second.', taskSupport: 'required' },
    async (_, { signal }) => {
      await sleep(1000, undefined, { signal })
      throw new Error('The job failed, as it always does.')
    },
  )

  registerTool(
    'protocol_error_job',
    { description: 'Ends with an error of JSON-RPC.' },
    async (_, { signal }) => {
      await sleep(1000, undefined, { signal })
      throw new ProtocolError(-32603, 'The job broke the protocol.', { job: 'protocol_error_job' })
    },
  )

  registerTool(
    'confirm_delete',
    { description: 'Asks before it deletes.', inputSchema: z.object({ filename: z.string() }) },
    async ({ filename }, task) => {
      await sleep(LONGER_THAN_THE_GRACE, undefined, { signal: task.signal })
      const { action, content } = await task.elicit({
        message: `Delete ${filename}?`,
        requestedSchema: form(yes),
      })
      return { deleted: action === 'accept' && yes.parse(content).confirm }
    },
  )

  registerTool('multi_input', { description: 'Asks two things at once.' }, async (_, task) => {
    await sleep(LONGER_THAN_THE_GRACE, undefined, { signal: task.signal })
    const ask = (message: string) => task.elicit({ message, requestedSchema: form(named) })
    const answers = await Promise.all([ask('Your first name?'), ask('Your last name?')])
    return answers.map(({ content }) => content?.name)
  })

  registerTool(
    'test_tool_with_task',
    {
      description: 'Asks for a name before it begins, and becomes a task then.',
      inputSchema: z.object({ name: z.string().optional() }),
      taskSupport: 'required',
      prepare(_, { mcpReq }) {
        const who = acceptedContent(mcpReq.inputResponses, 'user_name', named)
        return who ?? inputRequired({ inputRequests: { user_name: askName() } })
      },
    },
    async ({ name }, task: TaskContext) => {
      await sleep(1000, undefined, { signal: task.signal })
      return `Done for ${name}.`
    },
  )
}

function askName() {
  return inputRequired.elicit({ message: 'What is your name?', requestedSchema: named })
}
