import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { messagesCountable } from '../../src/providers/anthropic/messages-request.ts';
import { generateCountable } from '../../src/providers/google/generate-request.ts';
import { chatCountable, responsesCountable } from '../../src/providers/openai/countable.ts';
import type { CountableInput } from '../../src/domain/call-shape.ts';
import { countChat, countCompletion, type CompletionOutput } from '../../src/tokens/index.ts';

/** A call and its bill, as a public project has recorded them for its tests. */
interface BilledCall {
  /** From projects that no rule was first worked out from; docs/tokens.md has what they corrected. */
  readonly heldOut: boolean;
  readonly source: string;
  readonly vendor: string;
  readonly api: 'chat' | 'responses' | 'anthropic' | 'google';
  readonly model: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly input: number;
  readonly reply?: CompletionOutput;
  readonly output?: number;
}

const CALLS = readFileSync(
  new URL('../fixtures/tokens/billed-calls.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as BilledCall);

interface Counted {
  readonly tokens: number;
  readonly exact: boolean;
}

function countInput({ api, model, request }: BilledCall): Counted {
  const countable = countableOf(api, { model, ...request });
  assert.equal(countable.kind, 'chat');
  const { request: chat, partial } = countable as Extract<CountableInput, { kind: 'chat' }>;
  const { tokens, quality } = countChat(chat, model);
  return { tokens, exact: quality === 'exact' && partial !== true };
}

function countableOf(api: BilledCall['api'], request: BilledCall['request']): CountableInput {
  switch (api) {
    case 'chat':
      return chatCountable(request);
    case 'responses':
      return responsesCountable(request);
    case 'anthropic':
      return messagesCountable(request);
    case 'google': {
      const { systemInstruction, tools, ...rest } = request;
      return generateCountable({ ...rest, config: { systemInstruction, tools } });
    }
  }
}

function countOutput({ reply, model, request, vendor }: BilledCall): Counted {
  const { tokens, quality } = countCompletion(reply ?? {}, model, request);
  return { tokens, exact: quality === 'exact' && vendor === 'openai' };
}

interface Sums {
  calls: number;
  exact: number;
  equal: number;
  near: number;
}

function sumsOf(calls: readonly BilledCall[]): Sums {
  const sums: Sums = { calls: 0, exact: 0, equal: 0, near: 0 };
  for (const call of calls) {
    const { tokens, exact } = countInput(call);
    sums.calls += 1;
    if (exact) sums.exact += 1;
    if (tokens === call.input) sums.equal += 1;
    if (Math.abs(tokens - call.input) <= 0.05 * call.input) sums.near += 1;
  }
  return sums;
}

/** The rows of docs/tokens.md. */
function rows(): readonly string[] {
  const vendors = [...new Set(CALLS.map(({ vendor }) => vendor))];
  const row = (name: string, calls: readonly BilledCall[]): string => {
    const { calls: all, exact, equal, near } = sumsOf(calls);
    return `| ${name} | ${all} | ${exact} | ${equal} | ${near} | ${Math.round((100 * near) / all)} % |`;
  };
  return [
    ...vendors.map((vendor) =>
      row(
        vendor,
        CALLS.filter((call) => call.vendor === vendor),
      ),
    ),
    row('all', CALLS),
    row(
      'all, second half',
      CALLS.filter(({ heldOut }) => heldOut),
    ),
  ];
}

describe('tokens: calls with their bills, recorded by public projects', () => {
  it('has hundreds, of which many were held out at first', () => {
    assert.ok(CALLS.length >= 300);
    assert.ok(CALLS.filter(({ heldOut }) => heldOut).length >= 130);
  });

  it('no input flagged exact differs from the bill', () => {
    const wrong = CALLS.filter((call) => {
      const { tokens, exact } = countInput(call);
      return exact && tokens !== call.input;
    });
    assert.deepEqual(
      wrong.map(({ source, input }) => [source, input]),
      [],
    );
  });

  it('no reply flagged exact differs from the bill', () => {
    const replies = CALLS.filter(({ reply }) => reply !== undefined);
    const counted = replies.map((call) => ({ call, ...countOutput(call) }));
    assert.ok(counted.filter(({ exact }) => exact).length >= 50);
    assert.deepEqual(
      counted
        .filter(({ exact, tokens, call }) => exact && tokens !== call.output)
        .map(({ call, tokens }) => [call.source, call.output, tokens]),
      [],
    );
  });

  it('the shares in docs/tokens.md are these', () => {
    const documented = readFileSync(new URL('../../docs/tokens.md', import.meta.url), 'utf8');
    for (const row of rows()) assert.ok(documented.includes(row), `missing: ${row}`);
  });
});
