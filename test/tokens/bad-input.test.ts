import assert from 'node:assert/strict';
import { BackgroundCounter } from '../../src/tokens/background.ts';
import {
  countChat,
  countCompletion,
  countMessageTokens,
  countTokens,
  encodingForModel,
} from '../../src/tokens/index.ts';

const circular: Record<string, unknown> = { type: 'loop' };
circular['self'] = circular;
const list: unknown[] = [];
list.push(list);
const throwing = new Proxy(
  {},
  {
    get() {
      throw new Error('hands off');
    },
    ownKeys() {
      throw new Error('hands off');
    },
  },
);

const BAD: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 42],
  ['NaN', NaN],
  ['a bigint', 10n],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a circular object', circular],
  ['a list in itself', list],
  ['an object that throws', throwing],
  ['an empty list', []],
  ['a sparse list', Array(3)],
  ['a buffer', Buffer.from('abc')],
  ['a map', new Map([['role', 'user']])],
  ['an object without prototype', Object.create(null)],
];

describe('tokens: bad input', () => {
  for (const [name, value] of BAD) {
    it(`${name} in any place of a request never throws`, async () => {
      const requests: readonly unknown[] = [
        value,
        { messages: value },
        { messages: [value] },
        { messages: [{ role: value, content: value, name: value, tool_calls: value }] },
        { messages: [{ role: 'user', content: [value, { type: 'text', text: value }] }] },
        { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: value }] }] },
        { messages: [{ role: 'user', content: [{ image_url: { url: value, detail: value } }] }] },
        { messages: [{ role: 'user', content: [{ input_audio: value }, { file: value }] }] },
        { messages: [{ role: 'assistant', tool_calls: [value, { function: value }] }] },
        { input: value, instructions: value },
        { input: [{ type: 'function_call', name: value, arguments: value }] },
        { tools: value, tool_choice: value },
        { tools: [value, { function: value }, { function: { name: value, parameters: value } }] },
        {
          functions: [{ name: 'f', parameters: { properties: { a: value, b: { enum: value } } } }],
        },
        { response_format: { type: 'json_schema', json_schema: value }, text: value },
        { messages: [{ role: 'tool', tool_call_id: value, content: value }], thinking: value },
        { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: value } }] }] },
        { messages: [], model: value },
      ];
      const counter = new BackgroundCounter();
      for (const request of requests) {
        for (const model of ['gpt-4o', 'gpt-3.5-turbo', 'claude-opus-5', value as string]) {
          const { tokens } = countChat(request, model);
          assert.ok(Number.isSafeInteger(tokens) && tokens >= 0, `${tokens}`);
          assert.equal((await counter.countChat(request, model)).tokens, tokens);
        }
      }
      assert.ok(countMessageTokens(value as never, 'gpt-4o') >= 0);
      assert.ok(countCompletion(value as never, 'gpt-4o').tokens >= 0);
      assert.ok(encodingForModel(value as never).encoding);
    });
  }

  it('countTokens throws a TypeError for what is no string, and for nothing else', () => {
    for (const [, value] of BAD) assert.throws(() => countTokens(value as never), TypeError);
    for (const model of [
      undefined,
      '',
      'x'.repeat(10_000),
      '../../etc/passwd',
      '__proto__',
      'o1',
    ]) {
      assert.equal(countTokens('hi', model), 1);
    }
  });

  it('roles and names nobody knows are counted as what they are', () => {
    const { tokens, quality } = countChat(
      { messages: [{ role: 'wizard', name: 'Merlin', content: 'Hi' }] },
      'gpt-4o',
    );
    assert.ok(tokens > 8);
    assert.equal(quality, 'exact');
  });

  it('deep and wide schemas end', () => {
    let schema: object = { type: 'string' };
    for (let i = 0; i < 5000; i++) schema = { type: 'object', properties: { a: schema } };
    const tools = [{ type: 'function', function: { name: 'deep', parameters: schema } }];
    for (const model of ['gpt-4o', 'gpt-4']) assert.ok(countChat({ tools }, model).tokens > 0);
  });
});
