// What agreeing on a lane may hold.

export const LANE_LIMITS = {
  /** Lanes are few and live long. */
  streamsMax: 4,
  /** Several times what the fields hold, so that fields of later versions have room. */
  requestBytesMax: 1024,
  answerBytesMax: 1024
} as const

export const LANE_SECRET_BYTES = 32
export const LANE_IDENTITY = /^[0-9a-f]{32}$/
