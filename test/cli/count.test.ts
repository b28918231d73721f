import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/count.ts';
import { lastSafeCut, textChunks } from '../../src/cli/text-chunks.ts';
import { countChat, countTokens } from '../../src/tokens/index.ts';
import { memoryIo } from './memory-io.ts';

interface Row {
  readonly model: string;
  readonly tokens: number;
  readonly quality: string;
  readonly chats?: number;
  readonly cost_usd: number | null;
}

const chat = {
  model: 'gpt-4o-mini',
  messages: [
    { role: 'system', content: 'Answer briefly.' },
    { role: 'user', content: '今天天气怎么样？ What is the weather?' },
  ],
};

describe('otel-token-meter count', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-count-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const rowsOf = async (args: readonly string[], stdin = ''): Promise<readonly Row[]> => {
    const io = memoryIo({}, stdin);
    assert.equal(await run([...args, '--json'], io), 0, io.err());
    return JSON.parse(io.out()) as Row[];
  };
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('counts a text, a file and stdin alike', async () => {
    const text = 'The quick brown fox. 敏捷的棕色狐狸。 <|endoftext|>';
    const tokens = countTokens(text, 'gpt-4o');
    assert.equal((await rowsOf(['--text', text]))[0]?.tokens, tokens);
    assert.equal((await rowsOf([file('a.txt', text)]))[0]?.tokens, tokens);
    assert.equal((await rowsOf([], text))[0]?.tokens, tokens);
    assert.equal((await rowsOf(['-'], `\uFEFF${text}`))[0]?.tokens, tokens);
  });

  it('counts chats with the framing of their model, by line, document and list', async () => {
    const { tokens } = countChat(chat, chat.model);
    const line = JSON.stringify(chat);
    const cases: readonly (readonly [string, string, number])[] = [
      ['a.json', JSON.stringify(chat, undefined, 2), 1],
      ['a.jsonl', `${line}\n\n${line}\n${line}`, 3],
      ['list.json', `[${line},${line}]`, 2],
      ['batch.jsonl', JSON.stringify({ custom_id: '1', body: chat }), 1],
    ];
    for (const [name, content, chats] of cases) {
      const [row] = await rowsOf([file(name, content)]);
      assert.equal(row?.chats, chats, name);
      assert.equal(row?.tokens, chats * tokens, name);
      assert.equal(row?.model, 'gpt-4o-mini');
    }
    assert.equal((await rowsOf([], `${line}\n${line}\n`))[0]?.chats, 2);
    assert.equal((await rowsOf([], line))[0]?.chats, 1);
    assert.equal((await rowsOf([], '{ "not": "a chat" }'))[0]?.chats, undefined);
  });

  it('sums by model and lets --model overrule', async () => {
    const lines = ['gpt-4o', 'gpt-4', 'gpt-4o'].map((model) => JSON.stringify({ ...chat, model }));
    const path = file('models.jsonl', lines.join('\n'));
    assert.deepEqual(
      (await rowsOf([path])).map(({ model, chats }) => [model, chats]),
      [
        ['gpt-4o', 2],
        ['gpt-4', 1],
      ],
    );
    assert.deepEqual((await rowsOf([path, '--model', 'gpt-4.1'])).length, 1);
  });

  it('says estimated for a model it does not know, and shows no price rather than 0', async () => {
    const [row] = await rowsOf(['--text', 'hello there', '--model', 'nobody-knows-1']);
    assert.equal(row?.quality, 'estimated');
    assert.equal(row?.cost_usd, null);
    const [known] = await rowsOf(['--text', 'hello there', '--model', 'gpt-4o']);
    assert.equal(known?.quality, 'exact');
    assert.ok((known?.cost_usd ?? 0) > 0);
  });

  it('prints a table, and leaves out what is no chat with exit code 1', async () => {
    const io = memoryIo();
    assert.equal(await run([file('bad.jsonl', `${JSON.stringify(chat)}\n{broken\n[]\n7`)], io), 1);
    assert.match(io.out(), /^source +model +part +tokens +quality +cost/);
    assert.match(io.out(), /total +\d+ +exact/);
    assert.match(io.err(), /skipped 2 documents that are not a chat/);
  });

  it('counts an argument that names no file as text, unless it looks like a path', async () => {
    for (const text of ['When is high tide?', 'tide', 'Mr. Fox eats/sleeps.', '潮汐']) {
      const [row] = await rowsOf([text]);
      assert.deepEqual(row, { ...row, source: '(text)', tokens: countTokens(text, 'gpt-4o') });
    }
    for (const path of ['chats.jsnl', 'missing/chats', '.env']) {
      await assert.rejects(run([path], memoryIo({})), /ENOENT/);
    }
  });

  it('names a missing file', async () => {
    await assert.rejects(run([join(folder, 'none.txt')], memoryIo()), /ENOENT.*none\.txt/);
    assert.equal(await run(['--format', 'xml', '-'], memoryIo()), 2);
  });

  it('cuts a long text only where the counts of the pieces add up', async () => {
    const parts = [
      'Hello world, this is text.\n',
      "Don't stop\n\n\n  indented",
      '，你好。世界',
      ' 12345 678\n9',
      '\r\n',
      '\t',
      'éà\u0301b ',
      '\u00A0x',
      '日本語テキスト、終わり',
      'a  b',
      "it's 'quoted' ",
      '\n/path/',
      '🙂🙂 ok ',
      'CamelCaseWord HTTPServer ',
    ];
    let seed = 7;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    for (const model of ['gpt-4o', 'gpt-4', 'text-davinci-003', 'gpt2']) {
      for (let round = 0; round < 150; round++) {
        const text = Array.from({ length: 12 }, () => parts[next() % parts.length]).join('');
        const cut = lastSafeCut(text);
        if (cut === 0) continue;
        const [head, tail] = [text.slice(0, cut), text.slice(cut)];
        assert.equal(
          countTokens(head, model) + countTokens(tail, model),
          countTokens(text, model),
          `${model}: ${JSON.stringify([head, tail])}`,
        );
      }
    }
  });

  it('reads a text of many megabytes in chunks of about one', async () => {
    const sentence = 'It was a bright cold day in April, and the clocks were striking thirteen.\n';
    async function* source(): AsyncGenerator<string> {
      for (let i = 0; i < 60; i++) yield sentence.repeat(1000);
    }
    let length = 0;
    let chunks = 0;
    for await (const { text, exactCut } of textChunks(source())) {
      assert.ok(exactCut && text.length < 1.2 * 2 ** 20);
      length += text.length;
      chunks += 1;
    }
    assert.equal(length, sentence.length * 60_000);
    assert.ok(chunks >= 4);
    const endless: string[] = Array.from({ length: 10 }, () => ' '.repeat(2 ** 20));
    const cuts: boolean[] = [];
    for await (const { exactCut } of textChunks(asyncOf(endless))) cuts.push(exactCut);
    assert.deepEqual(cuts, [false, true]);
  });
});

async function* asyncOf(items: readonly string[]): AsyncGenerator<string> {
  yield* items;
}
