import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { encodingForModel } from '../tokens/index.ts';
import { Prices } from '../prices/prices.ts';
import { openInput } from './count-input.ts';
import type { InputFormat } from './count-input.ts';
import { countInput } from './count-totals.ts';
import type { CountTotals } from './count-totals.ts';
import type { CliIo } from './io.ts';
import { textTable } from './text-table.ts';

export const summary: string = 'count the tokens of text or chats and estimate their cost';

const DEFAULT_MODEL = 'gpt-4o';

const HELP = `Usage: otel-token-meter count [--model M] [FILE | TEXT | -]...
       otel-token-meter count [--model M] --text TEXT

Counts input tokens. An argument that names no file and does not look like a path is counted as text.
FILE contains plain text, a chat (JSON: a request or a list of messages), or one
chat per line (JSONL); - reads stdin. Memory use does not depend on the file size.

  --model M      Model (default: the model of the chat, or ${DEFAULT_MODEL})
  --provider P   Provider whose prices apply (default: openai)
  --text TEXT    Count this text
  --format F     text, json or jsonl (default: detected from the file name or content)
  --json         Print JSON

Quality is exact with the model's own tokenizer and known framing, otherwise estimated. Cost is an
estimate of the input cost at list prices; - means that the price is unknown.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: 'string', short: 'm' },
      provider: { type: 'string', default: 'openai' },
      text: { type: 'string' },
      format: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const { format } = values;
  if (!isFormat(format)) {
    io.stderr.write(
      `otel-token-meter count: --format is ${JSON.stringify(format)}; allowed: text, json, jsonl\n`,
    );
    return 2;
  }
  const paths = positionals.length > 0 ? positionals : ['-'];
  if (values.text === undefined && positionals.length === 0 && io.stdin.isTTY === true) {
    io.stderr.write(HELP);
    return 2;
  }
  const prices = new Prices();
  await prices.load();
  const rows: CountedSource[] = [];
  const sources = values.text === undefined ? paths : ['(text)'];
  for (const source of sources) {
    const text = values.text ?? (isText(source) ? source : undefined);
    const input =
      text === undefined
        ? await openInput(source, format, io)
        : { format: 'text' as const, pieces: Readable.from([text]) };
    for (const totals of await countInput(input, values.model, DEFAULT_MODEL)) {
      const costUsd = inputCost(prices, values.provider, totals);
      rows.push({
        source: text === undefined ? source : '(text)',
        totals,
        ...(costUsd !== undefined && { costUsd }),
      });
    }
  }
  io.stdout.write(values.json ? toJson(rows) : toTable(rows));
  const unreadable = rows.reduce((sum, { totals }) => sum + totals.unreadable, 0);
  if (unreadable > 0) io.stderr.write(`skipped ${unreadable} documents that are not a chat\n`);
  return unreadable > 0 ? 1 : 0;
}

/** A misspelt file name is an error, so what looks like a path is no text. */
function isText(argument: string): boolean {
  if (argument === '-' || existsSync(argument)) return false;
  return /\s/.test(argument) || !/[/\\]|\.\w{1,10}$/.test(argument);
}

interface CountedSource {
  readonly source: string;
  readonly totals: CountTotals;
  readonly costUsd?: number;
}

function isFormat(text: string | undefined): text is InputFormat | undefined {
  return text === undefined || ['text', 'json', 'jsonl'].includes(text);
}

function inputCost(prices: Prices, provider: string, totals: CountTotals): number | undefined {
  return prices.costOf({
    provider,
    requestModel: totals.model,
    inputTokens: totals.tokens,
    outputTokens: 0,
    time: new Date().toISOString(),
  });
}

function toTable(rows: readonly CountedSource[]): string {
  const head = ['source', 'model', 'part', 'tokens', 'quality', 'cost'];
  const lines = rows.flatMap(({ source, totals, costUsd }) => {
    const chats = totals.chats === undefined ? '' : ` (${totals.chats} chats)`;
    const parts = [...totals.parts].map(([part, { tokens, quality }]) => [
      '',
      '',
      part,
      `${tokens}`,
      quality,
      '',
    ]);
    const cost = costUsd === undefined ? '-' : `$${costUsd.toFixed(6)}`;
    const total = [
      `${source}${chats}`,
      totals.model,
      'total',
      `${totals.tokens}`,
      totals.quality,
      cost,
    ];
    return [total, ...parts];
  });
  return textTable(head, lines, ['tokens', 'cost']);
}

function toJson(rows: readonly CountedSource[]): string {
  const documents = rows.map(({ source, totals, costUsd }) => ({
    source,
    model: totals.model,
    encoding: encodingForModel(totals.model).encoding,
    ...(totals.chats !== undefined && { chats: totals.chats }),
    tokens: totals.tokens,
    quality: totals.quality,
    parts: Object.fromEntries(totals.parts),
    cost_usd: costUsd ?? null,
  }));
  return `${JSON.stringify(documents, undefined, 2)}\n`;
}
