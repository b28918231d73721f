import assert from 'node:assert/strict';
import { ROLES } from '../../src/tokens/chat-message.ts';
import { countChat, countCompletion, countTokens } from '../../src/tokens/index.ts';

const MODEL = 'gpt-4o';
const n = (text: string): number => countTokens(text, MODEL);
const CHAT = { messages: [{ role: 'user', content: 'Hi' }] };
const RESPONSES = { input: 'Hi' };
const TOOLS = { tools: [{ type: 'function', function: { name: 'f' } }] };
const TEXT = { text: 'The tide comes in twice a day.' };
const CALL = { toolCalls: [{ name: 'tide_of', arguments: '{"place":"Brest"}' }] };
const CALLS = { toolCalls: [...CALL.toolCalls, { name: 'f', arguments: '{}' }] };
const USES =
  '{"tool_uses":[{"recipient_name":"functions.tide_of","parameters":{"place":"Brest"}},' +
  '{"recipient_name":"functions.f","parameters":{}}]}';

describe('tokens/completion: what a reply is billed', () => {
  const text = n(TEXT.text);
  const call = n('functions.tide_of') + n('{"place":"Brest"}');
  for (const [what, output, request, tokens, quality] of [
    ['a text of Chat Completions', TEXT, CHAT, text, 'exact'],
    ['beside tools, one more', TEXT, { ...CHAT, ...TOOLS }, text + 1, 'exact'],
    ['a text of Responses: its end', TEXT, RESPONSES, text + 1, 'exact'],
    ['beside tools, one more', TEXT, { ...RESPONSES, ...TOOLS }, text + 2, 'exact'],
    ['a call of Chat Completions', CALL, { ...CHAT, ...TOOLS }, call + 6, 'exact'],
    ['a call of Responses', CALL, { ...RESPONSES, ...TOOLS }, call + 7, 'estimated'],
    ['parallel calls', CALLS, { ...CHAT, ...TOOLS }, n(USES) + 10, 'exact'],
    ['parallel calls of Responses', CALLS, { ...RESPONSES, ...TOOLS }, n(USES) + 11, 'estimated'],
    [
      'a tool that the request names: the arguments',
      CALL,
      { ...CHAT, ...TOOLS, tool_choice: { type: 'function', function: { name: 'tide_of' } } },
      n('{"place":"Brest"}'),
      'estimated',
    ],
    ['a text, of an unknown API', TEXT, undefined, text, 'estimated'],
    ['nothing that can be read', {}, CHAT, 0, 'estimated'],
  ] as const) {
    it(`${what}: ${tokens}, ${quality}`, () => {
      const counted = countCompletion(output, MODEL, request);
      assert.deepEqual([counted.tokens, counted.quality], [tokens, quality]);
    });
  }

  it('the replies of models that reason are estimated', () => {
    const { tokens, quality } = countCompletion(TEXT, 'gpt-5', RESPONSES);
    assert.deepEqual([tokens, quality], [text + 4, 'estimated']);
  });
});

describe('tokens: framing as billed', () => {
  const hello = { role: 'user', content: 'Hi' };
  const of = (messages: readonly object[], model = MODEL) => countChat({ messages }, model);

  it('each known role is one token, in both vocabularies of chats', () => {
    for (const role of ROLES) {
      for (const model of ['gpt-4o', 'gpt-4']) assert.equal(countTokens(role, model), 1, role);
    }
  });

  it('a name equal to the role takes one token, another one its own and one', () => {
    assert.equal(of([{ ...hello, name: 'user' }]).tokens, of([hello]).tokens + 1);
    assert.equal(of([{ ...hello, name: 'Ann' }]).tokens, of([hello]).tokens + n('Ann') + 1);
  });

  it('gpt-5 and o3 prime the reply with two tokens, gpt-4o with three', () => {
    for (const model of ['gpt-5', 'gpt-5.4-mini', 'o3-mini']) {
      assert.equal(of([hello], model).tokens, of([hello]).tokens - 1, model);
    }
    assert.equal(of([hello], 'o1-mini').tokens, of([hello]).tokens);
  });

  it('a message of gpt-5 names its channel', () => {
    const said = { role: 'assistant', content: 'Hi' };
    assert.equal(of([hello, said], 'gpt-5').tokens, of([hello, said]).tokens - 1 + 2);
  });

  it('texts of a message that follow each other are one text', () => {
    const text = (part: string) => ({ type: 'text', text: part });
    const content = [text('Tell me a fun fact.'), text('Now explain it.')];
    const joined = 'Tell me a fun fact.Now explain it.';
    assert.equal(of([{ role: 'user', content }]).parts.text?.tokens, n(joined));
    assert.notEqual(n(joined), n('Tell me a fun fact.') + n('Now explain it.'));
  });

  it('is estimated where it cannot be known: undated deployments, audio, gpt-4 in Responses', () => {
    assert.equal(of([hello], 'gpt-35-turbo').quality, 'estimated');
    assert.equal(of([hello], 'gpt-35-turbo-0125').quality, 'exact');
    assert.equal(of([hello], 'gpt-4o-audio-preview').quality, 'estimated');
    assert.equal(
      countChat({ messages: [hello], modalities: ['text', 'audio'] }, MODEL).quality,
      'estimated',
    );
    assert.equal(countChat({ input: 'Hi', tools: [] }, MODEL).quality, 'exact');
    assert.equal(countChat({ input: 'Hi' }, 'gpt-4').quality, 'estimated');
  });
});

describe('tokens: declarations of tools as billed', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  const declare = (properties: object, about = 'Tells the tide.') => ({
    type: 'function',
    function: { name: 'tide', description: about, parameters: { type: 'object', properties } },
  });
  const tools = (tool: object, request: object = { messages }, model = MODEL) =>
    countChat({ ...request, tools: [tool] }, model).parts.tools;
  const shown = (...lines: string[]) =>
    n(['namespace functions {', '', ...lines, '', '} // namespace functions'].join('\n'));
  const place = { type: 'string', description: 'A harbour.' };
  const plain = shown(
    '// Tells the tide.',
    'type tide = (_: {',
    '// A harbour.',
    'place?: string,',
    '}) => any;',
  );

  it('a namespace and 9; 5 and a newline beside a system message; 3 in Responses', () => {
    const system = { role: 'system', content: 'Be brief:' };
    assert.deepEqual(tools(declare({ place })), { tokens: plain + 9, quality: 'exact' });
    const beside = { messages: [system, ...messages] };
    assert.deepEqual(tools(declare({ place }), beside), { tokens: plain + 5, quality: 'exact' });
    const without = countChat(beside, MODEL).parts.text?.tokens ?? 0;
    const padded = countChat({ ...beside, tools: [declare({ place })] }, MODEL).parts.text?.tokens;
    assert.equal(padded, without - n('Be brief:') + n('Be brief:\n'));
    const items = { instructions: 'Be brief:', input: 'Hi' };
    assert.deepEqual(tools(declare({ place }), items), { tokens: plain + 3, quality: 'exact' });
  });

  it('a first property without a comment takes one token less', () => {
    const bare = shown('// Tells the tide.', 'type tide = (_: {', 'place?: string,', '}) => any;');
    const counted = tools(declare({ place: { type: 'string' } }));
    assert.deepEqual(counted, { tokens: bare + 9 - 1, quality: 'exact' });
  });

  it('titles, lines of descriptions and defaults are comments', () => {
    const lines = shown(
      '// Tells the tide.',
      '//',
      '// Args:',
      '// place: a harbour',
      'type tide = (_: {',
      '// Place',
      '//',
      '// A harbour.',
      'place?: string, // default: "Brest"',
      '// Day',
      'day?: number,',
      '}) => any;',
    );
    const counted = tools(
      declare(
        {
          place: { ...place, title: 'Place', default: 'Brest' },
          day: { type: 'integer', title: 'Day' },
        },
        'Tells the tide.\n\n    Args:\n        place: a harbour',
      ),
    );
    assert.deepEqual(counted, { tokens: lines + 9, quality: 'exact' });
  });

  it('shapes that measurements do not cover are estimated', () => {
    for (const property of [
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      { type: ['string', 'null'] },
      { type: 'object', properties: { a: { type: 'string' } } },
      { type: 'array', items: { type: 'object' } },
      { type: 'string', format: 'date' },
      { type: 'integer', minimum: 1 },
      { $ref: '#/$defs/Place' },
      { type: 'string', enum: ['a'], default: 'a' },
    ]) {
      assert.equal(tools(declare({ place, other: property }))?.quality, 'estimated');
    }
    const sequential = { messages, parallel_tool_calls: false };
    assert.equal(tools(declare({ place }), sequential)?.quality, 'estimated');
    assert.equal(tools(declare({ place }), { messages }, 'gpt-5')?.quality, 'estimated');
  });

  it('a schema that refers to itself three times ends', () => {
    const child = { $ref: '#' };
    const parameters = { type: 'object', properties: { child, other: { anyOf: [child, child] } } };
    const tool = { type: 'function', function: { name: 'tree', parameters } };
    assert.ok((tools(tool)?.tokens ?? 0) < 100_000);
  });
});
