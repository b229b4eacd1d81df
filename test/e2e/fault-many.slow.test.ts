import { onEachBackend } from './fault/backends.ts'
import { manyTasks } from './fault/many-tasks.ts'

onEachBackend(manyTasks)
