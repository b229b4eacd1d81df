import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RefId } from '../../../src/index.ts'
import type { Place } from './backends.ts'
import { runsOf } from './outside.ts'
import type { Random } from './random.ts'
import { type Look, type Point, type ToolName, Worker, type WorkerConfig, type WorkInput } from './worker.ts'

/** Where a process is killed. The two that are not points of the store are the parent's to hit. */
export const KILLS = [
  'after claim',
  'after start',
  'in handler',
  'before settle',
  'during the value write',
  'after settle',
  'during recovery',
] as const
export type Kill = (typeof KILLS)[number]

/** At which points a process that takes tasks over is killed itself. */
const RECOVERY_POINTS: readonly Point[] = ['after take', 'after start', 'in handler', 'before settle']

/** So short that a round takes a second. */
const QUICK = { leaseDuration: 400, sweepInterval: 100 }
/** Making and writing megabytes holds a process up for a while, which must not look like its death. */
const PATIENT = { leaseDuration: 2_000, sweepInterval: 200 }
const HOUR = 3_600_000

interface Task {
  readonly tool: ToolName
  readonly input: WorkInput
}

/** What the dead left behind. */
interface Remains {
  readonly tasks: readonly Task[]
  readonly victim: Worker
  /** Each entry that was durable, and the task it stands for. */
  readonly entries: ReadonlyMap<RefId, Task>
}

/**
 * One round: a process takes some tasks and is killed, and another one, which was there before or is started
 * then, brings every entry to its end.
 */
export async function playRound(place: Place, kill: Kill, random: Random): Promise<void> {
  const config = (): WorkerConfig => ({
    ...place,
    cache: kill === 'during the value write' ? PATIENT : QUICK,
    skewMs: random.pick([0, 0, -HOUR, HOUR]),
  })
  const wasThere = kill !== 'during recovery' && random.pick([true, false])
  const before = wasThere ? await Worker.start(config()) : undefined
  const remains = await killOne(config(), kill, random)
  if (kill === 'during recovery') await killRecovery(config(), random)
  const survivor = before ?? (await Worker.start(config()))

  await expectAllEnded(place, survivor, remains)
  await expectNoFurtherRuns(place, survivor, remains)
  await survivor.end()
}

async function killOne(config: WorkerConfig, kill: Kill, random: Random): Promise<Remains> {
  const large = kill === 'during the value write'
  const tasks = Array.from({ length: large ? 3 : random.integer(2, 5) }, (_, number) =>
    newTask(random, number, large),
  )
  const victim = await Worker.start({ ...config, die: deathBy(kill, random, tasks.length) })
  const calls = Promise.allSettled(
    tasks.map(({ tool, input }) => victim.call(tool, input, random.pick([{}, { asyncTimeout: 0 }]))),
  )
  if (large) {
    await victim.hears(line => line.settling !== undefined)
    await sleep(random.integer(0, 40))
    await victim.kill()
  }
  await victim.died

  // What was claimed is said before anything else can happen.
  const entries = new Map<RefId, Task>()
  for (const { claimed, id } of victim.said) if (claimed) entries.set(claimed, taskOf(tasks, id))
  for (const answer of await calls) {
    if (answer.status === 'fulfilled') assert.ok(entries.has(answer.value.refId), 'a handle has an entry')
  }
  return { tasks, victim, entries }
}

function newTask(random: Random, number: number, large: boolean): Task {
  const size = large ? random.integer(1_000_000, 6_000_000) : random.integer(10, 200_000)
  const tool: ToolName = number === 0 ? 'safe' : random.pick(['safe', 'unsafe'])
  return {
    tool,
    input: { id: `task ${number}`, ms: random.integer(0, 150), size, steps: random.integer(0, 3) },
  }
}

function deathBy(kill: Kill, random: Random, tasks: number): WorkerConfig['die'] {
  const nth = random.integer(1, tasks)
  if (kill === 'during the value write') return undefined
  if (kill !== 'during recovery') return { point: kill, nth }
  // All are claimed before the first one ends, so there is always something to recover.
  return { point: random.pick(['after claim', 'after start', 'in handler']), nth }
}

function taskOf(tasks: readonly Task[], id: string | undefined): Task {
  const task = tasks.find(({ input }) => input.id === id)
  assert.ok(task, `there is a task '${id}'`)
  return task
}

/** One that takes tasks over and dies of it, if there is something to take over. */
async function killRecovery(config: WorkerConfig, random: Random): Promise<void> {
  const recoverer = await Worker.start({ ...config, die: { point: random.pick(RECOVERY_POINTS), nth: 1 } })
  await recoverer.died
}

async function expectAllEnded(place: Place, survivor: Worker, { entries, victim }: Remains): Promise<void> {
  const settledBefore = victim.said.filter(({ as }) => as === 'complete').map(({ settled }) => settled)
  await Promise.all(
    [...entries].map(async ([refId, task]) => {
      const outcome = await survivor.outcome(refId)
      expectRightEnd(place, outcome, task)
      if (settledBefore.includes(refId)) {
        assert.equal(outcome.value?.by, victim.pid, 'what was settled before the death stays as it was')
      }
      if (outcome.status !== 'failed') return
      await survivor.retry(refId)
      const again = await survivor.outcome(refId)
      assert.equal(again.status, 'complete', 'a retry by hand runs the lost task')
      expectIntact(again, task)
      assert.ok(runsOf(place.record, task.input.id) <= 2, 'the retry runs it once')
    }),
  )
}

function expectRightEnd(place: Place, outcome: Look, { tool, input }: Task): void {
  const runs = runsOf(place.record, input.id)
  const said = `${tool} ${input.id}, ${runs} runs: ${JSON.stringify(outcome)}`
  if (outcome.status === 'complete') expectIntact(outcome, { tool, input })
  else {
    assert.equal(tool, 'unsafe', `an idempotent task is not lost: ${said}`)
    assert.equal(outcome.status, 'failed', said)
    assert.equal(outcome.errorCode, 'worker_lost', said)
    assert.equal(outcome.canRetry, true, said)
  }
  if (tool === 'unsafe') assert.ok(runs <= 1, `a task that may not be repeated runs once at most: ${said}`)
  else assert.ok(runs >= 1, said)
}

function expectIntact({ value }: Look, { input }: Task): void {
  assert.ok(value?.intact, `no torn value is served: ${JSON.stringify(value)}`)
  assert.equal(value.id, input.id)
  assert.equal(value.size, Math.ceil(input.size! / 2) * 2)
}

/** Identical calls are answered from what is there now. */
async function expectNoFurtherRuns(place: Place, survivor: Worker, { entries }: Remains): Promise<void> {
  for (const [refId, { tool, input }] of entries) {
    const runs = runsOf(place.record, input.id)
    const { refId: found, status } = await survivor.call(tool, input)
    assert.deepEqual({ found, status }, { found: refId, status: 'complete' })
    assert.equal(runsOf(place.record, input.id), runs)
  }
}
