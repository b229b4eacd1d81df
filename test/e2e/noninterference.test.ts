import { noInterference } from './noninterference.ts'

noInterference({ memory: 50, sqlite: 12 })
