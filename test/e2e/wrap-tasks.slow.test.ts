import { afterEach, beforeEach } from 'vitest'
import { Workshop } from './fixtures/wrap-harness.ts'
import { SLOW, taskUpstreams } from './wrap-tasks.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

taskUpstreams(SLOW, () => workshop)
