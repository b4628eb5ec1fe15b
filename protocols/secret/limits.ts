// What the handing over of a secret may hold.

export const SECRET_LIMITS = {
  /** Handed over once; the second is for a decision that follows at once. */
  streamsMax: 2,
  /** Several times what the fields hold, so that fields of later versions have room. */
  requestBytesMax: 1024,
  answerBytesMax: 1024
} as const

/** As the configuration has it: what an invite can hold, too. */
export const CLUSTER_NAME = /^[A-Za-z0-9._-]{1,63}$/
export const SECRET_BYTES = 32
/** Of SHA-256 of the secret of before. */
export const FORMER_BYTES = 8
