import { onSqlite } from './fault/backends.ts'
import { manyTasks } from './fault/many-tasks.ts'

onSqlite(manyTasks)
