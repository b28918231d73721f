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
      // The format has no closing event; this chunk ends the body.
      ': end\n\n',
    ],
  };
}

/** Cumulative totals: only the last one is complete. */
export const googleStream: Script = stream((index) => ({
  usageMetadata:
    index === TEXT.length ? USAGE : { promptTokenCount: 12, candidatesTokenCount: index + 1 },
}));

export const googleBareStream: Script = stream(() => ({}));

/** The error comes without the framing of an event. */
export const googleFailedStream: Script = {
  pieces: [
    ...(googleBareStream.pieces ?? []).slice(0, 2),
    JSON.stringify({ error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }),
  ],
};

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

const INTERACTION_USAGE = {
  total_input_tokens: 12,
  total_output_tokens: 9,
  total_thought_tokens: 30,
  total_cached_tokens: 4,
  total_tokens: 51,
};
const INTERACTION = { id: 'int-1', model: 'gemini-3-pro', object: 'interaction' };

export const googleInteraction: Script = {
  body: JSON.stringify({
    ...INTERACTION,
    status: 'completed',
    steps: [{ type: 'model_output', content: [{ type: 'text', text: TEXT.join('') }] }],
    usage: INTERACTION_USAGE,
  }),
};

const interactionOf = (status: string): Script => ({
  body: JSON.stringify({ ...INTERACTION, status, steps: [] }),
});
export const googleInteractionUnderWay: Script = interactionOf('in_progress');
export const googleInteractionFailed: Script = interactionOf('failed');

function interactionStream(usage: object): Script {
  const event = (type: string, more: object): string => sse({ event_type: type, ...more }, type);
  return {
    pieces: [
      event('interaction.created', { interaction: { ...INTERACTION, status: 'in_progress' } }),
      event('step.start', { index: 0, step: { type: 'model_output' } }),
      ...TEXT.map((text) => event('step.delta', { index: 0, delta: { type: 'text', text } })),
      event('step.stop', { index: 0 }),
      event('interaction.completed', {
        interaction: { ...INTERACTION, status: 'completed', ...usage },
      }),
      sse('[DONE]', 'done'),
    ],
  };
}

export const googleInteractionStream: Script = interactionStream({ usage: INTERACTION_USAGE });
export const googleInteractionBareStream: Script = interactionStream({});
