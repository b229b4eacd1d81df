export type { AuditAction, AuditEvent, AuditSink } from '../access/audit.ts'
export { type AuditFileOptions, auditFile } from './json-lines.ts'
