import { noInterference } from './noninterference.ts'

noInterference({ memory: 150, sqlite: 40 })
