// @ts-check
// The page's parts, made and tied together.

import { createAccess } from './access.js'
import { createApi, sendJson } from './api.js'
import { createDetail } from './detail.js'
import { listenToCopyButtons, need, onClick, openStore, setText } from './dom.js'
import { createGallery } from './gallery.js'
import { createLanguage, translate } from './language.js'
import { createStatus } from './status.js'
import { createUploads } from './uploads.js'

const language = createLanguage(navigator.languages, openStore('localStorage'))
const access = createAccess({
  language,
  store: openStore('localStorage'),
  send: sendJson,
  onChange: () => gallery.reload()
})
const api = createApi({ language, onDenied: access.deny })
const detail = createDetail({ api, language, onChange: () => changed(true) })
const gallery = createGallery({ api, language, onOpen: detail.open })
const status = createStatus({ api, language, onChange: () => gallery.refresh() })
createUploads({ api, language, onDone: () => changed() })

/** @param {boolean} [isWanted] */
async function changed(isWanted) {
  await gallery.refresh(isWanted)
  status.poll()
}

function renderLanguage() {
  translate(document, language)
  const isChinese = language.name === 'zh'
  need('language').lang = isChinese ? 'en' : 'zh-CN'
  setText('language', isChinese ? 'English' : '中文')
}

onClick('language', () => language.choose(language.name === 'zh' ? 'en' : 'zh'))
language.onChange(renderLanguage)
listenToCopyButtons(language)
renderLanguage()
status.render()
status.poll()
gallery.reload()
