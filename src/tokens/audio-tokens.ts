import { Base64Bytes } from './base64-bytes.ts';

/**
 * OpenAI's realtime models bill 10 tokens per second of input; the rate for chat models is not
 * documented.
 */
const TOKENS_PER_SECOND = 10;
/** Assumed bit rate of compressed audio; speech is rarely stored at a higher one. */
const ASSUMED_BYTES_PER_SECOND = 16_000;
const WAV_HEADER_BYTES = 44;

/** Estimated tokens of base64 audio. */
export function audioTokens(data: string): number {
  return Math.ceil(audioSeconds(new Base64Bytes(data)) * TOKENS_PER_SECOND);
}

/** Duration from the WAV header; other formats are assumed to be 128 kbit/s. */
export function audioSeconds(bytes: Base64Bytes): number {
  const header = bytes.read(0, WAV_HEADER_BYTES);
  const isWav = header.length === WAV_HEADER_BYTES && header.toString('latin1', 0, 4) === 'RIFF';
  const perSecond = (isWav && header.readUInt32LE(28)) || ASSUMED_BYTES_PER_SECOND;
  return bytes.length / perSecond;
}
