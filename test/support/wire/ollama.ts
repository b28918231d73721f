import type { Script } from './wire-server.ts';

const HEAD = { model: 'llama3.2', created_at: '2026-11-01T00:00:00Z' };
const COUNTS = {
  total_duration: 5,
  load_duration: 1,
  prompt_eval_count: 12,
  eval_count: 9,
  eval_duration: 4,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];
const NDJSON = { 'content-type': 'application/x-ndjson' };

function message(content: string): object {
  return { message: { role: 'assistant', content } };
}

function line(data: object): string {
  return `${JSON.stringify({ ...HEAD, ...data })}\n`;
}

export const ollamaPlain: Script = {
  body: JSON.stringify({
    ...HEAD,
    ...message(TEXT.join('')),
    done: true,
    done_reason: 'stop',
    ...COUNTS,
  }),
};

function stream(counts: object): Script {
  return {
    headers: NDJSON,
    pieces: [
      ...TEXT.map((text) => line({ ...message(text), done: false })),
      line({ ...message(''), done: true, done_reason: 'stop', ...counts }),
      '\n',
    ],
  };
}

export const ollamaStream: Script = stream(COUNTS);
export const ollamaBareStream: Script = stream({});

export const ollamaGenerate: Script = {
  body: JSON.stringify({ ...HEAD, response: TEXT.join(''), done: true, ...COUNTS }),
};

/** A cached prompt on an old server, reported without a count. */
export const ollamaCachedPrompt: Script = {
  body: JSON.stringify({
    ...HEAD,
    ...message(TEXT.join('')),
    done: true,
    done_reason: 'stop',
    eval_count: 9,
  }),
};

export const ollamaEmbed: Script = {
  body: JSON.stringify({
    model: 'nomic-embed-text',
    embeddings: [[0.1, 0.2]],
    prompt_eval_count: 2,
  }),
};

export const ollamaStreamedError: Script = {
  headers: NDJSON,
  pieces: [
    line({ ...message('The '), done: false }),
    `${JSON.stringify({ error: 'out of memory' })}\n`,
  ],
};

export const ollamaError: Script = {
  status: 404,
  body: JSON.stringify({ error: "model 'llama3.2' not found" }),
};

export const ollamaGenerateStream: Script = {
  headers: NDJSON,
  pieces: [
    ...TEXT.map((text) => line({ response: text, done: false })),
    line({ response: '', done: true, done_reason: 'stop', ...COUNTS }),
  ],
};

export const ollamaTools: Script = {
  body: JSON.stringify({
    ...HEAD,
    message: {
      role: 'assistant',
      content: '',
      thinking: 'They ask for the tide.',
      tool_calls: [{ function: { name: 'tide', arguments: { place: 'Brest' } } }],
    },
    done: true,
    done_reason: 'stop',
  }),
};
