// @ts-check
// How servers come into the mesh: an invite as a line and as a picture for a camera, and joining by
// what somebody pasted.

import { ApiError } from './api.js'
import { draw, need, onClick, setText } from './dom.js'
import { formatTime } from './format.js'
import { confirm, onAction } from './notice.js'

/** Around the code, as its standard asks. */
const QUIET_MODULES = 4

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   notice: import('./notice.js').Notice, onChange: () => void }} parts
 */
export function createJoin({ api, language, notice, onChange }) {
  const { say } = language
  const invite = need('invite', HTMLDialogElement)
  const join = need('join', HTMLDialogElement)
  const address = need('join-address', HTMLTextAreaElement)

  function openInvite() {
    setText('invite-text', say('invite.about'))
    need('invite-text').classList.remove('trouble')
    need('invite-made').hidden = true
    need('invite-ask').hidden = false
    invite.showModal()
    need('invite-make').focus()
  }

  async function makeInvite() {
    try {
      const answer = await api.call('POST', 'api/invite', { body: wishOf() })
      const { expires_at: until } = answer
      const date = until && formatTime(until, language.name)
      const end = date ? ` ${say('invite.until', { date })}` : ''
      setText('invite-text', answer.message + end)
      setText('invite-line', answer.invite)
      setText('invite-command', answer.command)
      need('invite-qr').replaceChildren(await picture(answer.invite))
      need('invite-made').hidden = false
      need('invite-ask').hidden = true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('invite-text', error.message)
      need('invite-text').classList.add('trouble')
    }
  }

  /** How long it is to be good, and for how many. */
  function wishOf() {
    const valid = need('invite-valid', HTMLSelectElement).value
    const uses = need('invite-uses', HTMLSelectElement).value
    if (valid === '') return { permanent: true }
    return { expires_in: Number(valid), ...(uses && { uses: Number(uses) }) }
  }

  async function revoke() {
    const title = say('invite.revoke.title')
    const text = say('invite.revoke.text')
    if (!(await confirm({ title, text, yes: say('invite.revoke') }))) return
    try {
      const { message } = await api.call('DELETE', 'api/invite')
      invite.close()
      notice.tell(message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('invite-text', error.message)
    }
  }

  /**
   * A QR code: dark on light in every scheme, since not all cameras read the opposite. Nothing
   * where the line is too long for one.
   * @param {string} text
   */
  async function picture(text) {
    const { encode } = await import('./uqr.js')
    /** @type {{ data: boolean[][], size: number }} */
    let code
    try {
      code = encode(text, { ecc: 'L', border: QUIET_MODULES })
    } catch {
      return ''
    }
    const dark = code.data.flatMap((row, y) =>
      row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))
    )
    return draw(
      'svg',
      { viewBox: `0 0 ${code.size} ${code.size}`, role: 'img', 'aria-label': say('invite.qr') },
      draw('path', { d: dark.join('') })
    )
  }

  async function meet() {
    tell(say('join.going'), false)
    try {
      // a chat may have broken the line
      const answer = await api.call('POST', 'api/peers', {
        body: { address: address.value.trim().replace(/\s+/g, '') }
      })
      tell(answer.name ? `${answer.name}: ${answer.message}` : answer.message, false)
      address.value = ''
      onChange()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      tell(error.message, true)
    }
  }

  /**
   * @param {string} text
   * @param {boolean} isBad
   */
  function tell(text, isBad) {
    setText('join-text', text)
    need('join-text').classList.toggle('trouble', isBad)
  }

  onClick('mesh-invite', openInvite)
  onAction('invite-make', makeInvite)
  onAction('invite-revoke', revoke)
  need('invite-valid').addEventListener('change', () => {
    const isForEver = need('invite-valid', HTMLSelectElement).value === ''
    need('invite-uses', HTMLSelectElement).disabled = isForEver
  })
  onClick('invite-close', () => invite.close())
  // who looks at the page later shall not find it
  invite.addEventListener('close', () => {
    for (const id of ['invite-line', 'invite-command']) setText(id, '')
    need('invite-qr').replaceChildren()
  })
  onClick('mesh-join', () => {
    tell('', false)
    join.showModal()
    address.focus()
  })
  onClick('join-close', () => join.close())
  need('join-form').addEventListener('submit', (event) => event.preventDefault())
  onAction('join-go', async () => {
    if (address.value.trim() !== '') await meet()
  })
}
