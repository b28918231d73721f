import assert from 'node:assert/strict';
import { loadTiktokenCounter } from '../../src/tokens/tiktoken-counter.ts';
import { TIKTOKEN_COUNTS } from '../fixtures/tokens/tiktoken-counts.ts';
import {
  COMPARED_TEXTS,
  CountsDigest,
  ENCODINGS,
  ENCODINGS_OF_CODE_POINTS,
  installedTiktoken,
} from '../support/compared-texts.ts';

describe('tokens: the recorded counts of tiktoken', () => {
  it('are those of the installed version', () => {
    const digests: Record<string, string> = {};
    for (const encoding of ENCODINGS) {
      const tiktoken = loadTiktokenCounter(encoding);
      for (const [what, texts] of Object.entries(COMPARED_TEXTS)) {
        if (
          what === 'codePoints' &&
          !(ENCODINGS_OF_CODE_POINTS as readonly string[]).includes(encoding)
        )
          continue;
        const digest = new CountsDigest();
        for (const text of texts(encoding)) digest.add(text, tiktoken.count(text));
        digests[`${encoding} ${what}`] = digest.toString();
      }
    }
    assert.deepEqual({ version: installedTiktoken(), digests }, TIKTOKEN_COUNTS);
  });
});
