import { Merges } from '../engine/plain/merges.ts';
import { unreachedOf } from '../engine/plain/plain-engine.ts';
import type { Splitter, VocabularyTable } from '../engine/tables.ts';
import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../json.ts';
import { tableOfMerges, type Merge } from './merge-list.ts';
import { splitterOf } from './patterns.ts';
import { readRankLines, tableOfRanks } from './ranked-vocabulary.ts';

export interface VendorTokenizer {
  readonly splitter: Splitter;
  readonly table: VocabularyTable;
  /** Text is normalised to NFC first. */
  readonly nfc: boolean;
}

/**
 * Reads a byte-level BPE `tokenizer.json` (Hugging Face) or a `tekken.json` (Mistral).
 *
 * @throws for other formats, and for steps that the engine does not support.
 */
export function readTokenizerFile(json: string): VendorTokenizer {
  const file: unknown = JSON.parse(json);
  if (!isObject(file)) throw new Error('it is no tokenizer');
  return objectAt(file, 'config') === undefined ? readTokenizer(file) : readTekken(file);
}

function readTokenizer(file: JsonObject): VendorTokenizer {
  const model = objectAt(file, 'model');
  if (stringAt(model, 'type') !== 'BPE') throw new Error('it is no BPE tokenizer');
  const splitter = splitterOf(expressionsOf(file['pre_tokenizer']));
  const merges = tableOfMerges(listOf(model?.['merges']) as readonly Merge[]);
  const table = { ...merges, wholePieces: model?.['ignore_merges'] === true };
  if (!table.wholePieces && unreachedOf(table, new Merges(table)).size > 0) {
    throw new Error('its merges do not reach each of its tokens');
  }
  return { splitter, table, nfc: isNfc(file['normalizer']) };
}

/** Expressions of the Split steps. A ByteLevel step without its own expression must follow them. */
function expressionsOf(preTokenizer: unknown): string[] {
  const steps = isObject(preTokenizer) ? listOf(preTokenizer['pretokenizers']) : [];
  const last = steps.at(-1);
  if (!isObject(last) || last['type'] !== 'ByteLevel' || last['use_regex'] !== false) {
    throw new Error('it is no byte-level tokenizer');
  }
  return steps.slice(0, -1).map((step) => stringAt(objectAt(step, 'pattern'), 'Regex') ?? '');
}

function isNfc(normalizer: unknown): boolean {
  if (normalizer === null || normalizer === undefined) return false;
  const type = stringAt(normalizer, 'type');
  if (type === 'NFC') return true;
  const steps = isObject(normalizer) ? normalizer['normalizers'] : undefined;
  if (type === 'Sequence' && Array.isArray(steps) && steps.length === 0) return false;
  throw new Error('its normalizer is not known');
}

/** Ranks beyond the vocabulary size are left out; special tokens are part of that size. */
function readTekken(file: JsonObject): VendorTokenizer {
  const config = objectAt(file, 'config') ?? {};
  const size = Number(config['default_vocab_size']) - Number(config['default_num_special_tokens']);
  const ranks = stringAt(file, 'bpe_ranks');
  const tokens = ranks === undefined ? tokensOf(file['vocab']) : readRankLines(ranks);
  return {
    splitter: splitterOf([stringAt(config, 'pattern') ?? '']),
    table: tableOfRanks(tokens.slice(0, size)),
    nfc: false,
  };
}

function tokensOf(vocabulary: unknown): string[] {
  return listOf(vocabulary).map((token) =>
    Buffer.from(stringAt(token, 'token_bytes') ?? '', 'base64').toString('latin1'),
  );
}
