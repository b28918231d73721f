import { audioSeconds } from './audio-tokens.ts';
import type { Base64Bytes } from './base64-bytes.ts';

/** Google's guide: a page of a PDF is an image, audio has 32 tokens a second. */
const GEMINI = { page: 258, audioSecond: 32 } as const;
/** Anthropic's guide: 1,500 to 3,000 a page; a recorded one-page document had 1,600. */
const CLAUDE_PAGE = 1600;
/** OpenAI bills the text and an image of each page: of recorded documents, 100 to 1,030 a page. */
const OPENAI_PAGE = 750;

/** Estimated tokens of a PDF or audio as a data URL; 0 for other media. */
export function mediaTokens(url: string, bytes: Base64Bytes, model: string): number {
  const isGemini = model.startsWith('gemini');
  if (url.startsWith('data:application/pdf')) {
    if (isGemini) return GEMINI.page * pagesOf(bytes);
    return (model.includes('claude') ? CLAUDE_PAGE : OPENAI_PAGE) * pagesOf(bytes);
  }
  if (isGemini && url.startsWith('data:audio/')) {
    return Math.round(GEMINI.audioSecond * audioSeconds(bytes));
  }
  return 0;
}

/** Bytes that are searched for pages; more would hold up the event loop. */
const SEARCHED = 1 << 20;

/** Page objects in the readable part of a PDF, of which the beginning stands for the whole. */
function pagesOf(bytes: Base64Bytes): number {
  const text = bytes.read(0, Math.min(bytes.length, SEARCHED)).toString('latin1');
  const found = text.match(/\/Type\s*\/Page(?![a-z])/gi)?.length ?? 0;
  return Math.max(1, Math.round((found * bytes.length) / Math.max(text.length, 1)));
}
