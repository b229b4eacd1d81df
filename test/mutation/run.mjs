// Which mutations of a folder do its unit tests notice? By hand; docs/testing.md says how.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createInstrumenter } from '@stryker-mutator/instrumenter'
import { build } from 'esbuild'
import { createInjector } from 'typed-inject'

/** What takes this much longer under a mutant than without it does not end. */
const PATIENCE = { ms: 4_000, times: 5 }
/** Modules that are loaded anew stay in memory. */
const MUTANTS_A_WORKER = 300

/** An object of the type `Names` is read by its keys alone: its values are there for the compiler. */
const namesOfOptions = {
  shouldIgnore(path) {
    if (!path.isBooleanLiteral()) return undefined
    const declared = path.findParent(parent => parent.isVariableDeclarator())?.node.id.typeAnnotation
    const isNames = declared?.typeAnnotation.typeName?.name === 'Names'
    return isNames ? 'its values are not read' : undefined
  },
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const {
  values: { every },
  positionals: [source, ...tests],
} = parseArgs({ options: { every: { type: 'string', default: '1' } }, allowPositionals: true })
if (!source || tests.length === 0) {
  console.error(
    'node test/mutation/run.mjs [--every 10] src/access test/unit/access …   (folders, or single files)',
  )
  process.exit(2)
}
const out = mkdtempSync(join(root, 'node_modules/.mutation-'))
process.once('exit', () => rmSync(out, { recursive: true, force: true }))

const { mutants, instrumented } = await instrument(filesIn(source, '.ts'))
const bundles = await bundle(
  tests.flatMap(place => filesIn(place, '.test.ts')),
  instrumented,
)
const sample = mutants.filter((_, number) => number % Number(every) === 0)
report(await judge(sample, bundles))
process.exit()

/** The files of a folder, or the one file that is named. */
function filesIn(place, ending) {
  if (statSync(join(root, place)).isFile()) return [join(root, place)]
  const names = readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith(ending)).map(name => join(root, place, name))
}

async function instrument(paths) {
  const silent = new Proxy({}, { get: () => () => false })
  const instrumenter = createInjector().provideValue('logger', silent).injectFunction(createInstrumenter)
  const files = paths.map(name => ({ name, content: readFileSync(name, 'utf8'), mutate: true }))
  const ignorers = [namesOfOptions]
  const result = await instrumenter.instrument(files, { plugins: null, excludedMutations: [], ignorers })
  return {
    mutants: result.mutants.filter(({ status }) => status !== 'Ignored'),
    instrumented: new Map(result.files.map(({ name, content }) => [name, content])),
  }
}

/** A file for each file of tests, with the instrumented sources in it. */
async function bundle(paths, contents) {
  const shim = fileURLToPath(new URL('vitest-shim.mjs', import.meta.url))
  const substitutes = {
    name: 'substitutes',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^vitest$/ }, () => ({ path: shim }))
      onLoad({ filter: /\.ts$/ }, ({ path }) =>
        contents.has(path) ? { contents: contents.get(path), loader: 'ts' } : undefined,
      )
    },
  }
  const bundles = []
  for (const path of paths) {
    const outfile = join(out, `${relative(root, path).replaceAll('/', '.')}.mjs`)
    const options = {
      ...{ entryPoints: [path], outfile, logLevel: 'silent', plugins: [substitutes] },
      ...{
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node20',
        external: ['@sinonjs/fake-timers', '@redis/client', 'ioredis', '@photostructure/sqlite'],
      },
      nodePaths: [join(root, 'node_modules/vitest/node_modules'), join(root, 'node_modules')],
    }
    const failed = await build(options).catch(error => error)
    if (failed instanceof Error) console.log(`left out  ${relative(root, path)}  ${failed.errors?.[0]?.text}`)
    else bundles.push(outfile)
  }
  return bundles
}

async function judge(all, bundles) {
  let worker = newWorker()
  const covered = []
  for (const path of bundles) {
    const one = await ask(worker, { bundle: path })
    if (one?.perTest) covered.push(one)
    else {
      console.log(`left out  ${basename(path, '.mjs')}  ${one?.refused ?? 'it does not end'}`)
      await worker.terminate()
      worker = newWorker()
    }
    // A test that fails without a mutant says nothing of any.
    for (const name of one?.failing?.values() ?? [])
      console.log(`left out  ${basename(path, '.mjs')}  ${name}`)
  }
  console.log(`${covered.reduce((sum, { count }) => sum + count, 0)} tests, ${all.length} mutants`)
  const outcomes = []
  for (const [count, mutant] of all.entries()) {
    const plan = covered.flatMap(one => planFor(mutant.id, one))
    const patience = PATIENCE.ms + PATIENCE.times * plan.reduce((sum, { ms }) => sum + ms, 0)
    const killed = plan.length > 0 && (await ask(worker, { mutant: mutant.id, plan }, patience))
    const outcome = plan.length === 0 ? 'not covered' : killed === false ? 'survived' : 'killed'
    outcomes.push({ mutant, outcome })
    if (outcome !== 'killed') tell(mutant, outcome)
    if (killed !== undefined && count % MUTANTS_A_WORKER !== MUTANTS_A_WORKER - 1) continue
    await worker.terminate()
    worker = newWorker()
  }
  return outcomes
}

/** The tests of a bundle that come by a mutant; all of them where it works when a module is loaded. */
function planFor(id, { bundle: path, failing, atLoad, perTest, took }) {
  const passing = perTest.filter(([number]) => !failing.has(Number(number)))
  const anew = atLoad.includes(id)
  const tests = passing.filter(([, ids]) => anew || Object.hasOwn(ids, id)).map(([number]) => Number(number))
  const ms = tests.reduce((sum, number) => sum + took[number], 0)
  return anew || tests.length > 0 ? [{ bundle: path, anew, tests, ms }] : []
}

function newWorker() {
  return new Worker(new URL('worker.mjs', import.meta.url), { stdout: true, stderr: true })
}

/** The worker's answer; nothing where it gave none in time. */
function ask(worker, message, patienceMs = 120_000) {
  return new Promise(resolve => {
    const done = answer => {
      clearTimeout(late)
      // Its own listeners stay.
      for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
      resolve(answer)
    }
    const late = setTimeout(done, patienceMs)
    worker.once('message', done)
    worker.once('error', () => done())
    worker.once('exit', () => done())
    worker.postMessage(message)
  })
}

function tell({ fileName, location, mutatorName, replacement }, outcome) {
  const at = `${relative(root, fileName)}:${location.start.line + 1}:${location.start.column + 1}`
  console.log(`${outcome}  ${at}  ${mutatorName} -> ${replacement.replace(/\s+/g, ' ').slice(0, 100)}`)
}

function report(outcomes) {
  for (const [file, list] of grouped(outcomes)) console.log(`${score(list)}  ${file}`)
  console.log(`${score(outcomes)}  ${source}, ${killed(outcomes)} of ${outcomes.length} mutants`)
}

function fileOf({ mutant }) {
  return relative(root, mutant.fileName)
}

function grouped(outcomes) {
  const files = new Map()
  for (const one of outcomes) files.set(fileOf(one), [...(files.get(fileOf(one)) ?? []), one])
  return files
}

function killed(list) {
  return list.filter(({ outcome }) => outcome === 'killed').length
}

function score(list) {
  return `${((100 * killed(list)) / list.length).toFixed(0).padStart(3)} %`
}
