/** Tools that ask the client before they answer: multi round-trip requests. Through the cache with `prepare`, or without it. */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { AttachedRefCache } from 'mcp-refcache/mcp'
import { z } from 'zod'

const named = z.object({ name: z.string() })
const color = z.object({ color: z.string() })
const ok = z.object({ ok: z.boolean() })

const askName = (message = 'What is your name?') => inputRequired.elicit({ message, requestedSchema: named })
const askModel = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })
const text = (text: string) => ({ content: [{ type: 'text' as const, text }] })

export function registerInputTools(
  server: McpServer,
  registerTool: AttachedRefCache['registerTool'],
  states: RequestStateCodec<unknown>,
): void {
  registerTool(
    'test_input_required_result_elicitation',
    {
      description: 'Asks for a name, and greets.',
      inputSchema: z.object({ name: z.string().optional() }),
      prepare: (_, { mcpReq }) =>
        acceptedContent(mcpReq.inputResponses, 'user_name', named) ??
        inputRequired({ inputRequests: { user_name: askName() } }),
    },
    ({ name }) => `Hello, ${name}!`,
  )

  const ask = (
    name: string,
    answer: (context: ServerContext) => Promise<ReturnType<typeof inputRequired> | ReturnType<typeof text>>,
  ) => server.registerTool(`test_input_required_result_${name}`, { description: `Asks: ${name}.` }, answer)

  ask('sampling', async ({ mcpReq: { inputResponses } }) => {
    const answer = inputResponses?.capital_question
    if (answer) return text(JSON.stringify(answer))
    return inputRequired({
      inputRequests: { capital_question: askModel('What is the capital of France?', 100) },
    })
  })

  ask('list_roots', async ({ mcpReq: { inputResponses } }) => {
    const roots = inputResponses?.client_roots
    if (roots) return text(JSON.stringify(roots))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })

  ask('request_state', async ({ mcpReq: { inputResponses, requestState } }) => {
    if (requestState() === 'asked' && inputResponses?.confirm) return text('state-ok')
    return inputRequired({
      inputRequests: { confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: ok }) },
      requestState: await states.mint('asked'),
    })
  })

  ask('tampered_state', async ({ mcpReq: { requestState } }) => {
    if (requestState() === 'signed') return text('state-ok')
    return inputRequired({
      inputRequests: { confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: ok }) },
      requestState: await states.mint('signed'),
    })
  })

  ask('multiple_inputs', async ({ mcpReq: { inputResponses } }) => {
    const keys = ['user_name', 'greeting', 'client_roots']
    if (inputResponses && keys.every(key => key in inputResponses))
      return text(JSON.stringify(inputResponses))
    return inputRequired({
      inputRequests: {
        user_name: askName(),
        greeting: askModel('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await states.mint('asked'),
    })
  })

  ask('multi_round', async ({ mcpReq: { inputResponses, requestState } }) => {
    const known = z.object({ name: z.string() }).safeParse(requestState())
    const second = acceptedContent(inputResponses, 'step2', color)
    if (known.success && second) return text(`${known.data.name} likes ${second.color}.`)
    const first = acceptedContent(inputResponses, 'step1', named)
    if (!first) {
      return inputRequired({
        inputRequests: { step1: askName('Step 1: What is your name?') },
        requestState: await states.mint({}),
      })
    }
    const step2 = inputRequired.elicit({
      message: 'Step 2: What is your favorite color?',
      requestedSchema: color,
    })
    return inputRequired({ inputRequests: { step2 }, requestState: await states.mint(first) })
  })

  ask('capabilities', async ({ mcpReq: { envelope, inputResponses } }) => {
    const declared = (envelope as Record<string, object> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? {}
    if (inputResponses) return text('answered')
    return inputRequired({
      inputRequests: {
        ...('elicitation' in declared ? { user_name: askName() } : {}),
        ...('sampling' in declared ? { greeting: askModel('Generate a greeting', 50) } : {}),
      },
      requestState: await states.mint('asked'),
    })
  })

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks for its context.' },
    async ({ mcpReq }) => {
      const context = acceptedContent(
        mcpReq.inputResponses,
        'user_context',
        z.object({ context: z.string() }),
      )
      if (context) {
        return { messages: [{ role: 'user', content: { type: 'text', text: context.context } }] }
      }
      const user_context = inputRequired.elicit({
        message: 'What context should the prompt use?',
        requestedSchema: z.object({ context: z.string() }),
      })
      return inputRequired({ inputRequests: { user_context } })
    },
  )
}
