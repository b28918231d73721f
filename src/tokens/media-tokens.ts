import { audioSeconds } from './audio-tokens.ts';
import type { Base64Bytes } from './base64-bytes.ts';

/** Google's guide: a page of a PDF is an image, audio has 32 tokens a second. */
const GEMINI = { page: 258, audioSecond: 32 } as const;
/** Anthropic's guide: 1,500 to 3,000 a page; a recorded one-page document had 1,600. */
const CLAUDE_PAGE = 1600;

/** Estimated tokens of a PDF or audio as a data URL; 0 for other media and models. */
export function mediaTokens(url: string, bytes: Base64Bytes, model: string): number {
  const isGemini = model.startsWith('gemini');
  if (url.startsWith('data:application/pdf')) {
    if (isGemini) return GEMINI.page * pagesOf(bytes);
    return model.includes('claude') ? CLAUDE_PAGE * pagesOf(bytes) : 0;
  }
  if (isGemini && url.startsWith('data:audio/')) {
    return Math.round(GEMINI.audioSecond * audioSeconds(bytes));
  }
  return 0;
}

/** Page objects in the readable part of a PDF; compressed ones cannot be seen. */
function pagesOf(bytes: Base64Bytes): number {
  const text = bytes.read(0, bytes.length).toString('latin1');
  return Math.max(1, text.match(/\/Type\s*\/Page(?![a-z])/gi)?.length ?? 0);
}
