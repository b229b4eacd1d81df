import { afterEach, beforeEach } from 'vitest'
import { Workshop } from './fixtures/wrap-harness.ts'
import { handlesAndRestarts, SLOW, SLOW_SERVERS, taskUpstreams } from './wrap-tasks.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

taskUpstreams(SLOW, () => workshop)
handlesAndRestarts(SLOW_SERVERS, () => workshop)
