// @ts-check
// What nodes say of themselves in a word, in English.

export const reasons = {
  'lost.damaged': 'its file was damaged',
  'lost.missing': 'its file is gone from the disk',
  'why.coming': 'it is coming from {from}',
  'why.next': 'it is the next to be fetched',
  'why.queued': 'it is queued behind {count} [other|others]',
  'why.nobody': 'no server that is connected has it',
  'why.failed': 'it could not be fetched',
  'why.paused': 'it fetches nothing for a moment',
  'why.disk_full': 'its disk is full',
  'why.policy': 'it keeps only what is read there',
  'why.alone': 'it is not connected with any other server',
  'why.blocked': 'it is blocked',
  'why.doubt': 'its disk is in doubt',
  'why.trashed': 'its trash holds the bytes',
  'why.deleted': 'it was deleted',
  'why.undeleted': 'it has not heard of the deletion yet',
  'why.unknown': 'it knows of no such image yet',
  'why.behind': 'it has not heard of this image yet',
  'why.behind.by': 'its index lacks {count} [entry|entries]',
  'why.behind.now': 'the two indexes are being compared now',
  'why.behind.next': 'it hears of it when the two indexes are compared next',
  'why.lacks': 'it says that it does not have it yet',
  'why.unreachable': 'it is not connected',
  'why.away': 'it is away',
  'why.refused': 'one of the two does not let the other in',
  'why.silent': 'it did not answer in time',
  'why.since': 'last seen {time}',
  'why.believed': 'by what it said last it has it'
}
