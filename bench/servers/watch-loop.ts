import { LoopWatch } from '../pause.ts'

/** Loaded into a process beside its program: tells its parent how long the event loop was held since it was asked before. */
const watch = new LoopWatch()
process.on('message', () => {
  process.send?.(watch.read())
  watch.begin()
})
process.on('disconnect', () => watch.end())
