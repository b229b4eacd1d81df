import { onSqlite } from './fault/backends.ts'
import { steeredTasks } from './fault/steering.ts'

onSqlite(steeredTasks)
