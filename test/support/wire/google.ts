import { sse, type Script } from './wire-server.ts';

const USAGE = {
  promptTokenCount: 12,
  candidatesTokenCount: 9,
  thoughtsTokenCount: 30,
  cachedContentTokenCount: 4,
  totalTokenCount: 51,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

function response(text: string, more: object, finishReason?: string): object {
  return {
    candidates: [
      {
        index: 0,
        content: { role: 'model', parts: [{ text }] },
        ...(finishReason && { finishReason }),
      },
    ],
    modelVersion: 'gemini-3-pro-001',
    responseId: 'resp-1',
    ...more,
  };
}

export const googlePlain: Script = {
  body: JSON.stringify(response(TEXT.join(''), { usageMetadata: USAGE }, 'STOP')),
};

function stream(usageOf: (index: number) => object): Script {
  return {
    pieces: [
      ...TEXT.map((text, index) => sse(response(text, usageOf(index)))),
      sse(response('', usageOf(TEXT.length), 'STOP')),
      // Nothing follows in this format; the piece ends the body.
      ': end\n\n',
    ],
  };
}

/** Running totals: only the last one is whole. */
export const googleStream: Script = stream((index) => ({
  usageMetadata:
    index === TEXT.length ? USAGE : { promptTokenCount: 12, candidatesTokenCount: index + 1 },
}));

export const googleBareStream: Script = stream(() => ({}));

export const googleBlocked: Script = {
  body: JSON.stringify({
    promptFeedback: { blockReason: 'SAFETY' },
    usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 },
    modelVersion: 'gemini-3-pro-001',
    responseId: 'resp-1',
  }),
};

export const googleEmbedding: Script = {
  body: JSON.stringify({ embeddings: [{ values: [0.1, 0.2] }] }),
};

export const googleError: Script = {
  status: 400,
  body: JSON.stringify({
    error: { code: 400, message: 'Invalid argument', status: 'INVALID_ARGUMENT' },
  }),
};
