import type { SpanAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import { ATTR_CONTENT } from '../../otel/semconv.ts';

/**
 * Messages as the conventions write them, for the span alone and only after `captureContent: true`:
 * `[{role, parts: [{type: 'text', content}]}]`.
 */
export function contentAttributes(ended: EndedCall): SpanAttributes {
  const attributes: SpanAttributes = {};
  const input = inputMessages(ended);
  if (input.length > 0) attributes[ATTR_CONTENT.inputMessages] = JSON.stringify(input);
  const output = ended.reply.outputs.map((choice, index) => ({
    role: 'assistant',
    parts: [
      ...textPart('reasoning', choice.reasoning),
      ...textPart('text', choice.text ?? choice.refusal),
      ...(choice.toolCalls ?? []).map((call) => ({ type: 'tool_call', ...call })),
    ],
    finish_reason: ended.reply.finishReasons?.[index] ?? 'error',
  }));
  if (output.length > 0) attributes[ATTR_CONTENT.outputMessages] = JSON.stringify(output);
  return attributes;
}

function inputMessages(ended: EndedCall): { role: unknown; parts: unknown[] }[] {
  if (ended.request === undefined) return [];
  const countable = ended.shape.countable(ended.request);
  if (countable.kind === 'unknown') return [];
  if (countable.kind === 'texts') {
    return countable.texts.map((text) => ({ role: 'user', parts: textPart('text', text) }));
  }
  const { messages, input } = (countable.request ?? {}) as { messages?: unknown; input?: unknown };
  const given = messages ?? input;
  if (typeof given === 'string') return [{ role: 'user', parts: textPart('text', given) }];
  if (!Array.isArray(given)) return [];
  return given.map((message: { role?: unknown; content?: unknown } | null) => ({
    role: message?.role,
    parts: contentParts(message?.content ?? message),
  }));
}

function contentParts(content: unknown): unknown[] {
  if (typeof content === 'string') return textPart('text', content);
  if (!Array.isArray(content)) return [content];
  return content.map((part: { text?: unknown } | null) =>
    typeof part?.text === 'string' ? { type: 'text', content: part.text } : part,
  );
}

function textPart(type: string, content: string | undefined): { type: string; content: string }[] {
  return content === undefined || content === '' ? [] : [{ type, content }];
}
