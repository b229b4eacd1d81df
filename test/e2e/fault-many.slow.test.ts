import { onRedis } from './fault/backends.ts'
import { manyTasks } from './fault/many-tasks.ts'

onRedis(manyTasks)
