import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { isMedia, mediaOf } from '../../values/media.ts'
import type { Medium } from '../api.ts'
import { readImageHeader } from './image-header.ts'
import { defined } from './rows.ts'

/** A browser decodes an image whole: a small file may be a very large one. */
const MOST_PIXELS = 40_000_000
const MOST_IMAGE_BYTES = 5_000_000
const MOST_MEDIA = 50
const LONGEST_NAME = 200
const LONGEST_URI = 2_000

/** Blocks of a tool's result that are shown as what they are: images, sounds, files, links. */
export function isMedium(block: JsonValue): block is JsonObject {
  return isMedia(block) || isLink(block)
}

export function isLink(block: JsonValue): block is JsonObject {
  return isJsonObject(block) && block.type === 'resource_link'
}

/** What media are. Images come with their bytes: a value that is read whole has at most 9 MB of them. */
export function toMedia(blocks: readonly JsonObject[]): Medium[] {
  return blocks.slice(0, MOST_MEDIA).map(block => {
    const image = imageOf(block)
    return { ...toMedium(block), ...(image ? { image } : {}) }
  })
}

/** What stands beside a preview of media: all but their bytes. */
export function toDescribedMedia(about: JsonObject | undefined): Medium[] {
  const media = Array.isArray(about?.media) ? about.media.filter(isJsonObject) : []
  return media.map(({ type, mime_type: mimeType, uri, bytes }) =>
    defined({
      kind: kindOf(type),
      mimeType: text(mimeType, LONGEST_NAME),
      uri: text(uri, LONGEST_URI),
      bytes: typeof bytes === 'number' ? bytes : undefined,
    }),
  )
}

function toMedium(block: JsonObject): Medium {
  const { type, name, title } = block
  const { mimeType, uri, bytes } = factsOf(block)
  return defined({
    kind: kindOf(type),
    name: text(title, LONGEST_NAME) ?? text(name, LONGEST_NAME),
    mimeType: text(mimeType, LONGEST_NAME),
    uri: text(uri, LONGEST_URI),
    bytes,
  })
}

interface Facts {
  readonly mimeType?: unknown
  readonly uri?: unknown
  readonly bytes?: number
}

/** In a preview a note says how many bytes there are. */
function factsOf(block: JsonObject): Facts {
  if (block.type === 'resource_link') return { mimeType: block.mimeType, uri: block.uri }
  const media = mediaOf(block)
  const [, noted] = /^\((\d+) bytes/.exec(media.base64) ?? []
  return noted === undefined ? media : { ...media, bytes: Number(noted) }
}

function kindOf(type: JsonValue | undefined): Medium['kind'] {
  if (type === 'resource_link') return 'link'
  return type === 'image' || type === 'audio' ? type : 'file'
}

/** Of another kind, or too large for a page: undefined. SVG is a document, and none of these. */
function imageOf(block: JsonObject): Medium['image'] {
  if (!isMedia(block)) return undefined
  const { base64, bytes } = mediaOf(block)
  if (bytes > MOST_IMAGE_BYTES) return undefined
  const decoded = Buffer.from(base64, 'base64')
  const header = readImageHeader(decoded)
  if (!header || header.width * header.height > MOST_PIXELS) return undefined
  const { mimeType, width, height } = header
  // Written anew: whatever else stood in the text is no part of the address.
  return { url: `data:${mimeType};base64,${decoded.toString('base64')}`, width, height }
}

/** Cut, an address would be another one. */
function text(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined
}
