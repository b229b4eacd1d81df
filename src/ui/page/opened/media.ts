import { html } from 'htm/preact'
import type { Medium } from '../../api.ts'
import { bytesText } from '../words.ts'
import { isWebAddress } from './form.ts'

/** What is no text in a result: images to look at, and all else by what it is. */
export function Media({ media }: { media: readonly Medium[] }) {
  return html`<ul class="media" aria-label="Media">
    ${media.map(
      (medium, i) => html`<li key=${i}>
        ${medium.image !== undefined && html`<${Picture} image=${medium.image} name=${medium.name ?? `Image ${i + 1} of ${media.length}`} />`}
        <p class="medium">
          <strong>${medium.name ?? KINDS[medium.kind]}</strong>
          <span class="muted">${factsText(medium)}</span>
          ${medium.uri !== undefined && html`<${Address} uri=${medium.uri} />`}
        </p>
      </li>`,
    )}
  </ul>`
}

const KINDS: Record<Medium['kind'], string> = { image: 'Image', audio: 'Sound', file: 'File', link: 'Link' }

/** It has its room before it is decoded, so that nothing jumps. */
function Picture({
  image: { url, width, height },
  name,
}: {
  image: NonNullable<Medium['image']>
  name: string
}) {
  return html`<img src=${url} width=${width} height=${height} alt=${name} decoding="async" />`
}

function factsText({ mimeType, bytes, image }: Medium): string {
  const pixels = image && `${image.width} × ${image.height}`
  return [mimeType, pixels, bytes !== undefined && bytesText(bytes)].filter(Boolean).join(' · ')
}

/** The whole address, so that everybody sees where it leads. */
export function Address({ uri }: { uri: string }) {
  const text = html`<code>${uri}</code>`
  return isWebAddress(uri) ? html`<a href=${uri} target="_blank" rel="noopener noreferrer">${text}</a>` : text
}
