import { Base64Bytes } from './base64-bytes.ts';

/** Ten a second of input, as OpenAI's realtime models bill; no formula for chats is confirmed. */
const TOKENS_PER_SECOND = 10;
/** Of compressed audio; speech is seldom stored at more. */
const ASSUMED_BYTES_PER_SECOND = 16_000;
const WAV_HEADER_BYTES = 44;

/** Estimated tokens of base64 audio: a WAV header tells its length, others are taken for 128 kbit/s. */
export function audioTokens(data: string): number {
  const bytes = new Base64Bytes(data);
  const header = bytes.read(0, WAV_HEADER_BYTES);
  const isWav = header.length === WAV_HEADER_BYTES && header.toString('latin1', 0, 4) === 'RIFF';
  const perSecond = (isWav && header.readUInt32LE(28)) || ASSUMED_BYTES_PER_SECOND;
  return Math.ceil((bytes.length / perSecond) * TOKENS_PER_SECOND);
}
