import * as z from 'zod'
import type { JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Kind } from './known-servers.ts'

const text = z.string().optional()
const flag = z.boolean().optional()
const json = z.looseObject({})
const icons = z
  .array(
    z.looseObject({
      src: z.string(),
      mimeType: text,
      sizes: z.array(z.string()).optional(),
      theme: z.enum(['light', 'dark']).optional(),
    }),
  )
  .optional()
const shown = { title: text, description: text, icons, _meta: json.optional() }
const schema = z.looseObject({
  type: z.literal('object'),
  properties: json.optional(),
  required: z.array(z.string()).optional(),
})
const annotations = z
  .looseObject({
    audience: z.array(z.enum(['user', 'assistant'])).optional(),
    priority: z.number().min(0).max(1).optional(),
    lastModified: z.iso.datetime({ offset: true }).optional(),
  })
  .optional()

/** What clients insist on. One thing that is otherwise makes them refuse the whole list that it is in. */
const SHAPES: Readonly<Record<Kind, z.ZodType>> = {
  tools: z.looseObject({
    ...shown,
    name: z.string(),
    inputSchema: schema,
    outputSchema: schema.optional(),
    annotations: z
      .looseObject({
        title: text,
        readOnlyHint: flag,
        destructiveHint: flag,
        idempotentHint: flag,
        openWorldHint: flag,
      })
      .optional(),
    execution: z
      .looseObject({ taskSupport: z.enum(['required', 'optional', 'forbidden']).optional() })
      .optional(),
  }),
  prompts: z.looseObject({
    ...shown,
    name: z.string(),
    arguments: z
      .array(z.looseObject({ name: z.string(), title: text, description: text, required: flag }))
      .optional(),
  }),
  resources: z.looseObject({
    ...shown,
    name: z.string(),
    uri: z.string(),
    mimeType: text,
    size: z.number().optional(),
    annotations,
  }),
  templates: z.looseObject({
    ...shown,
    name: z.string(),
    uriTemplate: z.string(),
    mimeType: text,
    annotations,
  }),
}

/** Whether clients can take it in a list. */
export function isUsable(kind: Kind, item: JsonValue): boolean {
  // As clients read it: numbers of ours that keep all their digits are plain ones there.
  return SHAPES[kind].safeParse(JSON.parse(stringifyJson(item))).success
}
