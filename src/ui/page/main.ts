import { html, render } from 'htm/preact'
import { App } from './app.ts'
import { server } from './server.ts'
import { Session } from './state/session.ts'

const session = new Session(server)
session.start()
render(html`<${App} session=${session} server=${server} />`, document.getElementById('page') as HTMLElement)
