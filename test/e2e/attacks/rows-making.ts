import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Answer, Attack, Person, Scene } from './door.ts'
import { bare, hidden, looksUnknown, madeUp, reader, refOf, toldTo, usable, waysTo } from './steps.ts'

/** Attacks that have something made of a value: a changed copy, a file, a resource. */
export const MAKING: readonly Attack[] = [
  {
    id: 'edit-private',
    tries:
      'to learn of a value that may only be used from how edits of it are refused: right and wrong guesses',
    guardedBy: 'src/flow/derive/edit.ts',
    async attempt(scene) {
      const { mallory, secret } = scene
      const refId = await usable(scene)
      const guesses = [
        [{ op: 'test', path: `/${secret.key}/name`, value: secret.text }],
        [{ op: 'test', path: '/x/name', value: 'wrong' }],
        [{ path: `/${secret.key}/name`, find: secret.text, replace: 'x' }],
        [{ find: 'wrong', replace: 'x' }],
        [{ op: 'remove', path: `/${secret.key}` }],
        [{ op: 'copy', from: `/${secret.key}`, path: '/x' }],
        [{ op: 'remove', path: '/nothing' }],
      ]
      const answers: Answer[] = []
      for (const edits of guesses) answers.push(await mallory.edit(refId, edits))
      expect(answers.map(({ code }) => code)).toEqual(guesses.map(() => 'permission_denied'))
      expect(new Set(answers.map(({ said }) => said)).size).toBe(1)
      const alice = await reader(scene)
      await alice.edit(refId, [{ op: 'add', path: '/more', value: 1 }])
      await alice.act('get', refId)
      toldTo(scene, alice)
    },
  },
  {
    id: 'edit-oracle',
    tries:
      'to put a value that may only be used into an own one, and to find out of it by tests, searches, moves and lengths',
    guardedBy: 'src/flow/derive/edit-references.ts',
    async attempt(scene) {
      const { secret } = scene
      const usableId = await usable(scene)
      // An answer may repeat a guess, so nobody listens to what this one hears: it must be the same for right and wrong guesses.
      const guesser = await scene.victim({ id: 'mallory' })
      const own = refOf(await guesser.call('store', { value: { a: 'dear NAME', b: 1 } }))
      const put = { op: 'add', path: '/x', value: usableId }
      const inText = { path: '/a', find: 'NAME', replace: usableId }
      const edits = (word: string, value: unknown): unknown[][] => [
        [put, test('/x', value)],
        [put, test(`/x/${word}`, 1)],
        [put, find('/x', word)],
        [put, { op: 'remove', path: `/x/${word}` }],
        [put, { op: 'copy', from: `/x/${word}`, path: '/y' }],
        [inText, find('/a', word)],
        [{ ...put, value: `${usableId}#/${word}` }],
        [put, { op: 'move', from: '/x', path: '/y' }, test('/y', value)],
        [test('/b', usableId)],
      ]
      const told = async (word: string, value: unknown) => {
        const answers: string[] = []
        for (const each of edits(word, value)) {
          const { said, code } = await guesser.edit(own, each)
          expect(code).toBeDefined()
          answers.push(said.replaceAll(word, '<word>'))
        }
        return answers
      }
      const wrong = await told('ABCDEFGHIJKL', { ABCDEFGHIJKL: 1 })
      expect(await told(secret.key, secret.value)).toEqual(wrong)
    },
  },
  {
    id: 'edit-shows-back',
    tries:
      'to see, in the changes and in the copy, a value that an edit put in by reference: also in a part, a text, a list, a second copy',
    guardedBy: 'src/values/edit/concealed.ts',
    async attempt(scene) {
      const { mallory, door } = scene
      const refId = await usable(scene)
      const own = refOf(await mallory.call('store', { value: { a: 'dear NAME', list: [1] } }))
      const leading = (await waysTo(mallory, refId)).at(-1)
      const edits = [
        { op: 'add', path: '/x', value: { deep: [refId] } },
        { op: 'add', path: '/list/-', value: refId },
        { path: '/a', find: 'NAME', replace: refId },
        { op: 'copy', from: '/x', path: '/y' },
        { op: 'move', from: '/y', path: '/list/0' },
        { op: 'add', path: '/leading', value: leading },
      ]
      const edited = await mallory.edit(own, edits)
      expect(edited.code).toBeUndefined()
      expect(edited.body).not.toHaveProperty('size')
      const copy = refOf(edited)
      for (const act of ['get', 'query', 'edit', 'export', 'read', 'resolve'] as const) {
        if (!door.acts.includes(act)) continue
        expect((await mallory.act(act, copy)).code, act).toBe('permission_denied')
        if (act !== 'edit') expect((await mallory.act(act, `${copy}#/x`)).code, act).toBe('permission_denied')
      }
      bare(await mallory.call('echo', { value: copy }))
      expect((await mallory.edit(copy, [{ op: 'remove', path: '/x' }])).code).toBe('permission_denied')
      const alice = await reader(scene)
      await alice.act('get', refId)
      toldTo(scene, alice)
    },
  },
  {
    id: 'edit-foreign',
    tries: 'to edit the value of somebody else, or to put it into an own one',
    guardedBy: 'src/flow/derive/edit-references.ts',
    async attempt(scene) {
      const { mallory } = scene
      const refId = await hidden(scene)
      const own = refOf(await mallory.call('store', { value: { a: 'dear NAME' } }))
      for (const edits of [
        (ref: string) => [{ op: 'add', path: '/x', value: ref }],
        (ref: string) => [{ op: 'add', path: '/x', value: { deep: [`${ref}#/a`] } }],
        (ref: string) => [{ path: '/a', find: 'NAME', replace: ref }],
      ]) {
        const other = madeUp(scene)
        const [foreign, unknown] = [
          await mallory.edit(own, edits(refId)),
          await mallory.edit(own, edits(other)),
        ]
        expect(foreign.code).toBe('not_found')
        expect(foreign.said.replaceAll(refId, '<ref>')).toBe(unknown.said.replaceAll(other, '<ref>'))
      }
      await scene.alice.act('get', refId)
      toldTo(scene, scene.alice)
    },
  },
  {
    id: 'edit-for-others',
    tries: 'to be shown a copy that somebody who may see everything made of several values',
    guardedBy: 'src/flow/derive/derived-entry.ts',
    async attempt(scene) {
      const { mallory, host } = scene
      const alice = await reader(scene)
      const secretId = await usable(scene)
      const open = (await host.set('open', { a: 1 }, {})).refId
      const copy = refOf(await alice.edit(open, [{ op: 'add', path: '/x', value: secretId }]))
      await alice.act('get', copy)
      toldTo(scene, alice)
      await refused(scene, mallory, copy)
      const again = refOf(await alice.edit(copy, [{ op: 'remove', path: '/x' }]))
      await refused(scene, mallory, again)
    },
  },
  {
    id: 'export-private',
    tries: 'to have a value that may only be used written to a file, whole or in part, in any format',
    guardedBy: 'src/flow/derive/export.ts',
    needs: ['resources'],
    async attempt(scene) {
      const { mallory, secret, door } = scene
      const refId = await usable(scene)
      const answers: Answer[] = []
      for (const part of ['', `#/${secret.key}`, '#/nothing', '#L1', '#/content/0'])
        for (const format of ['json', 'jsonl', 'csv', 'text', 'original'])
          answers.push(await mallory.call('export_cached_result', { ref_id: refId + part, format }))
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['permission_denied']))
      expect(new Set(answers.map(({ said }) => said)).size).toBe(1)
      expect(await filesIn(String(door.exportDir))).toEqual([])
      const alice = await reader(scene)
      expect((await alice.act('export', refId)).code).toBeUndefined()
      expect(await textIn(String(door.exportDir))).toContain(secret.text)
    },
  },
  {
    id: 'export-elsewhere',
    tries:
      'to write outside of the own folder, over a file, through a link, or to a device, by the name of an export',
    guardedBy: 'src/export/folder.ts',
    needs: ['resources'],
    stores: ['memory'],
    async attempt(scene) {
      const { mallory, alice, door } = scene
      const folder = String(door.exportDir)
      const own = refOf(await mallory.call('store', { value: 'mine' }))
      const exported = (who: Person, ref_id: string, name: unknown) =>
        who.call('export_cached_result', { ref_id, format: 'text', name })
      const names = [
        ...['../x', '..', '.', '/etc/x', '/dev/null', 'a/b', 'a\\b', 'C:x', 'C:\\x', '.hidden', '~/x', '-rf'],
        ...[
          'con',
          'NUL.txt',
          'com1',
          'LPT1.csv',
          'aux',
          'x.',
          'x ',
          ' x',
          'x\0.txt',
          'x\n',
          'x\u202egpj',
          '',
        ],
        ...['%2e%2e%2fx', 'e\u0301.txt', 'x'.repeat(300), 7, ['x'], { a: 1 }],
      ]
      for (const name of names)
        expect((await exported(mallory, own, name)).code, String(name)).toBe('invalid_argument')
      expect(await filesIn(folder)).toEqual([])
      // Two callers have one name, each in a folder of its own.
      const hers = refOf(await alice.call('store', { value: 'hers' }))
      expect((await exported(alice, hers, 'same.txt')).code).toBeUndefined()
      expect((await exported(mallory, own, 'same.txt')).code).toBeUndefined()
      expect(await filesIn(folder)).toHaveLength(2)
      expect((await exported(mallory, own, 'same.txt')).code).toBe('invalid_argument')
      const mine = await folderWith(folder, 'mine')
      await writeFile(join(folder, 'victim'), 'whole')
      await symlink(join(folder, 'victim'), join(mine, 'link.txt'))
      await symlink(join(folder, 'missing'), join(mine, 'dangling.txt'))
      await mkdir(join(mine, 'folder.txt'))
      for (const name of ['link.txt', 'dangling.txt', 'folder.txt'])
        expect((await exported(mallory, own, name)).code, name).toBe('invalid_argument')
      expect(await readFile(join(folder, 'victim'), 'utf8')).toBe('whole')
      expect(await readdir(folder)).not.toContain('missing')
      for (const file of await filesIn(mine))
        if (file.endsWith('same.txt')) expect((await stat(file)).mode & 0o077).toBe(0)
    },
  },
  {
    id: 'export-formula',
    tries: 'to have a spreadsheet run a cell: the cell is what it was, and stays one cell',
    guardedBy: 'src/values/export/formats.ts',
    needs: ['resources'],
    stores: ['memory'],
    aboutIdentity: false,
    async attempt({ mallory, door }) {
      const cells = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', "\r\n=cmd|'/C calc'!A0", '"=1"', ',=1']
      const own = refOf(await mallory.call('store', { value: cells.map(cell => ({ '=head': cell })) }))
      const { body } = await mallory.call('export_cached_result', { ref_id: own, format: 'csv' })
      expect(body.rows).toBe(cells.length)
      const { parse } = await import('csv-parse/sync')
      expect(parse(await textIn(String(door.exportDir)))).toEqual([['=head'], ...cells.map(cell => [cell])])
    },
  },
  {
    id: 'resource-uri',
    tries: 'to read the value of somebody else as a resource, however its URI is written',
    guardedBy: 'src/agent/resource-uri.ts',
    needs: ['resources'],
    async attempt(scene) {
      const { alice, mallory } = scene
      const refId = await hidden(scene)
      const own = refOf(await mallory.call('store', { value: 'mine' }))
      await looksUnknown(scene, mallory, refId)
      const encoded = encodeURIComponent(refId)
      const odd = [
        encoded,
        encodeURIComponent(encoded),
        encodeURIComponent(`${refId}#/a`),
        `${own}/../${refId}`,
        `..%2f${refId}`,
        `./${refId}`,
        `${refId}?x`,
        `${refId}/`,
        `${refId}%00`,
        `${refId}%`,
        `%${refId}`,
        `${own}#${refId}`,
        refId.toUpperCase(),
        `/${refId}`,
        `${refId}${'%2e%2e%2f'.repeat(10_000)}`,
        'x'.repeat(150_000),
      ]
      for (const ref of odd) {
        const { code } = await mallory.act('read', ref)
        expect(['not_found', 'invalid_argument'], ref.slice(0, 80)).toContain(code)
      }
      const { body } = await alice.act('read', encoded)
      expect(body).toHaveProperty('contents')
      toldTo(scene, alice)
    },
  },
  {
    id: 'resource-private',
    tries: 'to read a value that may only be used as a resource, whole or in part',
    guardedBy: 'src/flow/read/reply.ts',
    needs: ['resources'],
    async attempt(scene) {
      const { secret } = scene
      // An error names the URI that was asked for, so nobody listens here; the words must be the same.
      const guesser = await scene.victim({ id: 'mallory' })
      const refId = await usable(scene)
      const answers: Answer[] = []
      for (const part of ['', `#/${secret.key}`, '#/nothing', '#L1', '#L99', '#/content/0'])
        answers.push(await guesser.act('read', refId + part))
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['permission_denied']))
      const words = answers.map(({ body }) => (body.error as { message: string }).message)
      expect(new Set(words).size).toBe(1)
      const alice = await reader(scene)
      await alice.act('read', refId)
      toldTo(scene, alice)
    },
  },
  {
    id: 'resource-list',
    tries: 'to be listed what somebody else had made, or what nobody knows whose it is',
    guardedBy: 'src/flow/operate/results.ts',
    needs: ['resources'],
    async attempt(scene) {
      const { alice } = scene
      const hers = refOf(await alice.call('mint', { value: 1 }))
      await alice.act('get', hers)
      toldTo(scene, alice)
      const forged = Buffer.from('x'.repeat(28)).toString('base64url')
      for (const who of [scene.mallory, await scene.attacker({})]) {
        for (const params of [{}, { cursor: `refcache:${forged}` }, { cursor: 'refcache:' }])
          expect((await listed(who, params)).said).not.toContain(hers)
      }
      expect((await listed(alice, {})).said).toContain(hers)
    },
  },
]

function test(path: string, value: unknown) {
  return { op: 'test', path, value }
}

function find(path: string, text: string) {
  return { path, find: text, replace: '' }
}

/** However it is asked for. */
async function refused({ door }: Scene, attacker: Person, refId: string): Promise<void> {
  for (const act of ['get', 'query', 'edit', 'export', 'read', 'resolve'] as const)
    if (door.acts.includes(act)) expect((await attacker.act(act, refId)).code, act).toBe('permission_denied')
}

function listed(person: Person, params: object): Promise<Answer> {
  return (person as Person & { list(params: object): Promise<Answer> }).list(params)
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

/** Of all files. */
async function textIn(folder: string): Promise<string> {
  const texts = await Promise.all((await filesIn(folder)).map(file => readFile(file, 'utf8')))
  return texts.join('')
}

/** The folder of the file that has this text. */
async function folderWith(folder: string, text: string): Promise<string> {
  for (const file of await filesIn(folder))
    if ((await readFile(file, 'utf8')) === text) return join(file, '..')
  throw new Error(`No file has the text '${text}'.`)
}
