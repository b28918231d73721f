import assert from 'node:assert/strict';
import { openaiFormatCases } from '../fixtures/countable/openai-format.ts';
import { claudeCases } from '../fixtures/countable/claude.ts';
import { bedrockCases } from '../fixtures/countable/bedrock.ts';
import { googleCases } from '../fixtures/countable/google.ts';
import { mistralCases } from '../fixtures/countable/mistral.ts';
import { cohereCases } from '../fixtures/countable/cohere.ts';
import { ollamaCases } from '../fixtures/countable/ollama.ts';
import { frameworksCases } from '../fixtures/countable/frameworks.ts';
import {
  SYSTEM,
  QUESTION,
  THOUGHT,
  ANSWER,
  ABOUT,
  PNG,
  CALLED,
  type Piece,
} from '../fixtures/countable/case.ts';

const CASES = {
  ...openaiFormatCases,
  ...claudeCases,
  ...bedrockCases,
  ...googleCases,
  ...mistralCases,
  ...cohereCases,
  ...ollamaCases,
  ...frameworksCases,
};

/** What is counted must be the whole of what was sent and received, in any provider's form. */
describe('what is counted when a provider reports nothing', () => {
  for (const [name, tested] of Object.entries(CASES)) {
    describe(name, () => {
      it('every piece of the request', () => {
        const countable = tested.shape.countable(tested.request);
        assert.equal(countable?.kind, 'chat');
        const { messages: sent, tools } = countable.request as {
          messages: readonly Record<string, unknown>[];
          tools: readonly unknown[];
        };
        const found: Record<Piece, boolean> = {
          system: sent.some(({ role, content }) => role === 'system' && holds(content, SYSTEM)),
          image: holds(sent, PNG) && holds(sent, 'image_url'),
          tool: holds(tools, 'tide') && holds(tools, ABOUT) && holds(tools, 'place'),
          call: sent.some(
            ({ role, tool_calls: calls }) =>
              role === 'assistant' && holds(calls, 'tide') && holds(calls, 'Brest'),
          ),
          result: sent.some(({ role, content }) => role === 'tool' && holds(content, '06:12')),
          reasoning: holds(sent, THOUGHT),
        };
        for (const piece of tested.pieces) assert.ok(found[piece], `${piece} is counted`);
        assert.ok(holds(sent, QUESTION));
      });

      const expected = {
        text: ANSWER,
        ...(tested.thoughts !== false && { reasoning: THOUGHT }),
        toolCalls: [CALLED],
      };

      it('every piece of a whole reply', () => {
        const reader = tested.shape.reader({ usage: true, output: true });
        reader.whole(tested.reply);
        assert.deepEqual(reader.result().outputs, [expected]);
      });

      it('every piece of a stream', () => {
        const reader = tested.shape.reader({ usage: true, output: true });
        for (const event of tested.events) reader.event(event);
        const { outputs, usage, closed } = reader.result();
        assert.deepEqual(outputs, [expected]);
        assert.equal(usage?.outputTokens, undefined);
        assert.equal(closed, false);
      });

      it('nothing is kept that is not needed', () => {
        const reader = tested.shape.reader({ usage: true, output: false });
        for (const event of tested.events) reader.event(event);
        assert.deepEqual(
          reader.result().outputs.filter((output) => Object.keys(output).length > 0),
          [],
        );
      });
    });
  }
});

function holds(value: unknown, text: string): boolean {
  return JSON.stringify(value ?? null).includes(text);
}
