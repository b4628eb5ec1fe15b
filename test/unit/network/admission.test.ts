import { describe, expect, test } from 'vitest'
import { createAdmission, readSecret } from '../../../src/network/admission.ts'

const secret = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7 + 1))
const other = Buffer.alloc(32, 9)

describe('admission', () => {
  test('is the same for the same name and secret', () => {
    expect(createAdmission('home', secret)).toEqual(createAdmission('home', Buffer.from(secret)))
    expect(createAdmission('home', secret)).toMatchObject({ onLinkOnly: false })
    expect(createAdmission('home', secret).prologue).toHaveLength(32)
  })

  test('differs in everything if name or secret differ', () => {
    const all = [
      createAdmission('home', secret),
      createAdmission('home', other),
      createAdmission('work', secret),
      createAdmission('home', undefined),
      createAdmission('default', undefined),
      createAdmission(`home${secret.toString('latin1')}`, undefined)
    ]
    const prologues = all.map(({ prologue }) => Buffer.from(prologue).toString('hex'))
    expect(new Set(prologues).size).toBe(all.length)
    expect(new Set(all.map(({ serviceTag }) => serviceTag)).size).toBe(all.length)
  })

  test('without a secret only the local network is met', () => {
    expect(createAdmission('home', undefined).onLinkOnly).toBe(true)
  })

  test('calls under a name that is short enough for a service and shows nothing', () => {
    const { serviceTag, prologue } = createAdmission('home', secret)
    expect(serviceTag).toMatch(/^_tumesh-[0-9a-f]{8}\._udp\.local$/)
    expect(Buffer.from(prologue).toString('hex')).not.toContain(serviceTag.slice(8, 16))
  })
})

describe('the text of a secret', () => {
  test.each([
    ['hex', secret.toString('hex')],
    ['hex in capitals, with a newline', ` ${secret.toString('hex').toUpperCase()}\n`],
    ['base64', `${secret.toString('base64')}\n`],
    ['base64 without padding', secret.toString('base64').replace('=', '')],
    ['base64url', secret.toString('base64url')]
  ])('32 bytes in %s are taken as they are', async (_, text) => {
    expect(Buffer.from(await readSecret(text, 'home'))).toEqual(secret)
  })

  test('a passphrase becomes 32 bytes, others in each cluster', async () => {
    const phrase = 'correct horse battery staple'
    const [home, work] = await Promise.all([
      readSecret(`${phrase}\r\n`, 'home'),
      readSecret(phrase, 'work')
    ])
    expect(work).not.toEqual(home)
    // every node must come to these bytes, in every version
    expect(Buffer.from(home).toString('hex')).toBe(
      '5ec9b4acfbbbb9155f536c09bdfb37fa7c8ab364ef55eb2bb48c3a7aaa482dfe'
    )
  })

  test.each(['', '   \n', 'short', 'x'.repeat(11), 'x'.repeat(1025)])(
    'refuses %j',
    async (text) => {
      await expect(readSecret(text, 'home')).rejects.toMatchObject({ code: 'BAD_CONFIG' })
    }
  )

  test('never says what the secret is', async () => {
    const error = await readSecret('hunter2', 'home').catch((caught: unknown) => caught)
    expect(String(error)).not.toContain('hunter2')
  })
})
