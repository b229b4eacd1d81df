import { generateText, isStepCount, type ToolSet } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { onTestFinished } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>
type Prompt = MockLanguageModelV4['doGenerateCalls'][number]['prompt']
type ToolOutput = Extract<
  Extract<Prompt[number], { role: 'tool' }>['content'][number],
  { type: 'tool-result' }
>['output']

/** What a model does in one step: calls a tool, or answers. */
export type Step = readonly [tool: string, input: unknown] | string

/** A model that does what the test says, knowing what it was shown last. */
export function scriptedModel(steps: ReadonlyArray<Step | ((seen: ToolOutput[]) => Step)>) {
  const shown: ToolOutput[][] = []
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const seen = lastOutputs(prompt)
      shown.push(seen)
      const step = steps[shown.length - 1] ?? 'done'
      return generated(typeof step === 'function' ? step(seen) : step, shown.length)
    },
  })
  return { model, shown }
}

function lastOutputs(prompt: Prompt): ToolOutput[] {
  const last = prompt.at(-1)
  if (last?.role !== 'tool') return []
  return last.content.flatMap(part => (part.type === 'tool-result' ? [part.output] : []))
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

function generated(step: Step, number: number): Generated {
  if (typeof step === 'string') {
    return {
      content: [{ type: 'text', text: step }],
      finishReason: { unified: 'stop', raw: undefined },
      usage,
      warnings: [],
    }
  }
  const [toolName, input] = step
  return {
    content: [{ type: 'tool-call', toolCallId: `call-${number}`, toolName, input: JSON.stringify(input) }],
    finishReason: { unified: 'tool-calls', raw: undefined },
    usage,
    warnings: [],
  }
}

/** Lets a scripted model work with tools; gives what it was shown of each call. */
export async function converse(
  tools: ToolSet,
  steps: ReadonlyArray<Step | ((seen: ToolOutput[]) => Step)>,
  more: Partial<Parameters<typeof generateText>[0]> = {},
) {
  const { model, shown } = scriptedModel(steps)
  const result = await generateText({
    model,
    tools,
    prompt: 'Go.',
    stopWhen: isStepCount(steps.length + 1),
    ...more,
  } as Parameters<typeof generateText>[0])
  return { result, model, shown: shown.slice(1).flat() }
}

/** A cache whose clock the test moves, and whose entries it counts. */
export function cacheScene(options: RefCacheOptions = {}) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, ...options })
  onTestFinished(() => cache.close())
  const entries = async () => (await cache.list()).entries.length
  return { cache, clock, entries }
}

export const orders = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: n, customer: `customer ${n % 7}`, total: n * 1.5 }))
