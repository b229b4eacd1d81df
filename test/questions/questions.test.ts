import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptOf } from '../e2e/fixtures/programs.ts'
import { Workshop } from '../e2e/fixtures/wrap-harness.ts'
import { ABOUT_OTHER_VALUES } from './about-other-values.ts'
import { ABOUT_RECORDS } from './about-records.ts'
import { ABOUT_TEXTS } from './about-texts.ts'
import { type Asked, Asker, serve } from './asking.ts'
import type { Answer, Cell } from './question.ts'
import { captured, RESULTS } from './results.ts'

/**
 * Questions about stored results, asked as an agent asks that knows the preview and how references work, and nothing else. The answers are
 * computed from the data by other means. `QUESTIONS_TABLE=1` prints what each cost, and what all pages would have cost.
 */
const QUESTIONS = [...ABOUT_RECORDS, ...ABOUT_OTHER_VALUES, ...ABOUT_TEXTS]
const MOST_CALLS = 2
const MOST_TOKENS = 1_000

let asker: Asker
let close: () => Promise<void>
const account: Asked[] = []
beforeAll(async () => {
  const served = await serve(RESULTS)
  close = served.close
  asker = new Asker(served.client)
})
afterAll(async () => {
  await close()
  if (process.env.QUESTIONS_TABLE) printTable(account)
})

describe.each(Object.keys(RESULTS))('questions about %s', of => {
  const questions = QUESTIONS.filter(question => question.of === of)
  it.each(questions.map(question => [question.asks, question] as const))('%s', async (_, question) => {
    const asked = await asker.ask(question)
    account.push(asked)
    expectAnswer(asked, question.answer())
  })
})

it('asks enough questions, of enough kinds', () => {
  expect(QUESTIONS.length).toBeGreaterThanOrEqual(60)
  expect(new Set(QUESTIONS.map(question => question.of)).size).toBeGreaterThanOrEqual(10)
})

it('asks what a server of others gives through `wrap`, as it is', async () => {
  const workshop = new Workshop()
  try {
    const file = join(workshop.folder, 'memory.jsonl')
    writeFileSync(file, memoryFile())
    workshop.setEnv({ MEMORY_FILE_PATH: file })
    const { client } = await workshop.client([
      process.execPath,
      scriptOf('@modelcontextprotocol/server-memory'),
    ])
    const wrapped = new Asker(client, () => ({ name: 'read_graph', arguments: {} }))
    for (const question of ABOUT_TEXTS.filter(({ of }) => of === 'graph')) {
      expectAnswer(await wrapped.ask(question), question.answer())
    }
  } finally {
    await workshop.close()
  }
})

function expectAnswer({ calls, tokens, body, text }: Asked, answer: Answer): void {
  if ('says' in answer) for (const said of answer.says) expect(text).toContain(said)
  else expect(body.rows, text).toEqual(answer.rows.map(row => row.map(roughly)))
  expect(calls).toBeLessThanOrEqual(MOST_CALLS)
  expect(tokens).toBeLessThanOrEqual(MOST_TOKENS)
}

/** Sums of fractions differ in the last digits by the order in which they are added. */
function roughly(cell: Cell): unknown {
  return typeof cell === 'number' && !Number.isInteger(cell) ? expect.closeTo(cell, 4) : cell
}

/** The graph as the memory server keeps it. */
function memoryFile(): string {
  const [block] = captured('graph').content
  const { entities, relations } = JSON.parse(block?.type === 'text' ? block.text : '')
  const lines = [
    ...entities.map((entity: object) => ({ type: 'entity', ...entity })),
    ...relations.map((relation: object) => ({ type: 'relation', ...relation })),
  ]
  return lines.map(line => JSON.stringify(line)).join('\n')
}

function printTable(all: readonly Asked[]): void {
  for (const { question, calls, tokens, paging } of all) {
    console.log(
      [
        `${calls}`,
        `${tokens}`.padStart(5),
        `${paging}`.padStart(7),
        question.of.padEnd(10),
        question.asks,
      ].join('  '),
    )
  }
  const total = all.reduce((sum, { tokens }) => sum + tokens, 0)
  const paged = all.reduce((sum, { paging }) => sum + paging, 0)
  console.log(`${all.length} questions: ${total} tokens; all pages of each: ${paged}`)
}
