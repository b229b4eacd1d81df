// Which mutations of a folder do its pure unit tests notice? By hand; docs/testing.md says how.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createInstrumenter } from '@stryker-mutator/instrumenter'
import { build } from 'esbuild'
import { createInjector } from 'typed-inject'

/** Tests of pure code take milliseconds; what takes longer under a mutant does not end. */
const PATIENCE_MS = 6_000
/** Modules that are loaded anew stay in memory. */
const MUTANTS_A_WORKER = 300

const root = fileURLToPath(new URL('../../', import.meta.url))
const [source, ...tests] = process.argv.slice(2)
if (!source || tests.length === 0) {
  console.error('node test/mutation/run.mjs src/access test/unit/access …   (folders, or single files)')
  process.exit(2)
}
const out = mkdtempSync(join(root, 'node_modules/.mutation-'))
process.once('exit', () => rmSync(out, { recursive: true, force: true }))

const { mutants, instrumented } = await instrument(filesIn(source, '.ts'))
const bundles = await bundle(
  tests.flatMap(place => filesIn(place, '.test.ts')),
  instrumented,
)
report(await judge(mutants, bundles))
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
  const result = await instrumenter.instrument(files, { plugins: null, excludedMutations: [], ignorers: [] })
  return {
    mutants: result.mutants,
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
  const named = paths.map(path => [relative(root, path).replaceAll('/', '.'), path])
  await build({
    ...{ entryPoints: Object.fromEntries(named), outdir: out, outExtension: { '.js': '.mjs' } },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', plugins: [substitutes] },
    nodePaths: [join(root, 'node_modules/vitest/node_modules'), join(root, 'node_modules')],
  })
  return named.map(([name]) => join(out, `${name}.mjs`))
}

async function judge(all, bundles) {
  let worker = newWorker()
  const covered = []
  for (const path of bundles) covered.push(await ask(worker, { bundle: path }))
  const outcomes = []
  for (const [count, mutant] of all.entries()) {
    const plan = covered.flatMap(one => planFor(mutant.id, one))
    const killed = plan.length > 0 && (await ask(worker, { mutant: mutant.id, plan }, PATIENCE_MS))
    outcomes.push({
      mutant,
      outcome: plan.length === 0 ? 'not covered' : killed === false ? 'survived' : 'killed',
    })
    if (killed !== undefined && count % MUTANTS_A_WORKER !== MUTANTS_A_WORKER - 1) continue
    await worker.terminate()
    worker = newWorker()
  }
  return outcomes
}

/** The tests of a bundle that come by a mutant; all of them where it works when a module is loaded. */
function planFor(id, { bundle: path, failing, atLoad, perTest }) {
  const passing = perTest.filter(([number]) => !failing.includes(Number(number)))
  const anew = atLoad.includes(id)
  const tests = passing.filter(([, ids]) => anew || Object.hasOwn(ids, id)).map(([number]) => Number(number))
  return anew || tests.length > 0 ? [{ bundle: path, anew, tests }] : []
}

function newWorker() {
  return new Worker(new URL('worker.mjs', import.meta.url), { stdout: true, stderr: true })
}

/** The worker's answer; nothing where it gave none in time. */
function ask(worker, message, patienceMs = 600_000) {
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

function report(outcomes) {
  const files = grouped(outcomes)
  for (const { mutant, outcome } of outcomes) {
    if (outcome === 'killed') continue
    const { line, column } = mutant.location.start
    const at = `${relative(root, mutant.fileName)}:${line + 1}:${column + 1}`
    console.log(
      `${outcome}  ${at}  ${mutant.mutatorName} -> ${mutant.replacement.replace(/\s+/g, ' ').slice(0, 100)}`,
    )
  }
  for (const [file, list] of files) console.log(`${score(list)}  ${file}`)
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
