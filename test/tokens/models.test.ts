import assert from 'node:assert/strict';
import { countTokens, encodingForModel } from '../../src/tokens/index.ts';
import { profileOfModel, setModelAliases } from '../../src/tokens/models.ts';
import { VENDOR_RULES } from '../../src/tokens/vendor/vocabularies.ts';
import { forgetWarnings, setWarningHook } from '../../src/tokens/warnings.ts';

describe('tokens/models', () => {
  for (const [encoding, models] of [
    ['o200k_base', 'gpt-4o gpt-4o-2024-11-20 gpt-4o-mini chatgpt-4o-latest gpt-4.1-nano'],
    ['o200k_base', 'gpt-4.5-preview gpt-5 gpt-5-mini gpt-5.1 gpt-5.2-pro gpt-5-codex gpt-5.4-mini'],
    ['o200k_base', 'o1 o1-preview o3-mini o3-pro o4-mini-2025-04-16 codex-mini-latest'],
    ['o200k_base', 'computer-use-preview gpt-realtime gpt-audio-mini gpt-41-mini GPT-4O'],
    ['o200k_base', 'ft:gpt-4o-mini-2024-07-18:org::id openai/gpt-4o azure/gpt-4o'],
    ['o200k_base', 'openrouter/openai/gpt-4o:free'],
    ['o200k_harmony', 'gpt-oss-120b openai/gpt-oss-20b us.openai.gpt-oss-120b-1:0 gpt-oss:20b'],
    ['cl100k_base', 'gpt-4 gpt-4-32k gpt-4-turbo-2024-04-09 gpt-3.5-turbo gpt-35-turbo-16k'],
    ['cl100k_base', 'ft:gpt-3.5-turbo-0613:acme::x gpt-3.5-turbo-instruct davinci-002'],
    ['cl100k_base', 'text-embedding-3-large text-embedding-ada-002'],
    ['p50k_base', 'text-davinci-003 code-cushman-001'],
    ['r50k_base', 'davinci text-curie-001 text-similarity-ada-001'],
  ] as const) {
    it(`${encoding}: ${models}`, () => {
      for (const model of models.split(' ')) {
        assert.deepEqual(encodingForModel(model), { encoding, quality: 'exact' }, model);
      }
    });
  }

  for (const [vocabulary, models] of [
    ['llama3', 'llama3.1:8b meta-llama/Llama-3.3-70B-Instruct us.meta.llama3-1-8b-v1:0'],
    ['llama3', 'deepseek-r1-distill-llama-70b llama-v3p1-8b-instruct'],
    ['qwen3', 'qwen3-32b Qwen/Qwen2.5-7B-Instruct qwen-max qwq-32b qwen3.5-27b'],
    ['deepseek_v3', 'deepseek-v4-flash deepseek-ai/DeepSeek-V3.2 deepseek-chat deepseek-r1'],
    ['tekken', 'mistral-large-2512 mistral-large-latest mistral-small-latest pixtral-12b-2409'],
    ['tekken', 'open-mistral-nemo codestral-latest ministral-8b-latest magistral-medium-2509'],
    ['gemini', 'gemini-2.5-flash google/gemini-3-pro-preview'],
    ['gemma3', 'gemma-3-27b-it'],
    ['claude', 'claude-sonnet-4-5 anthropic.claude-3-haiku-20240307-v1:0 claude-opus-4-6'],
    ['claude_new', 'claude-sonnet-5 anthropic/claude-opus-4.8 us.anthropic.claude-opus-5'],
  ] as const) {
    it(`${models}: tokens of ${vocabulary}, estimated without it`, () => {
      setWarningHook(() => {});
      try {
        for (const model of models.split(' ')) {
          const { encoding, quality, estimated } = profileOfModel(model);
          assert.ok(encoding === vocabulary || estimated === vocabulary, model);
          if (encoding !== vocabulary) assert.equal(quality, 'estimated');
        }
      } finally {
        setWarningHook();
      }
    });
  }

  it('a vocabulary is exact for its models, not for later ones that only share a name', () => {
    const qualityOf = (name: string) =>
      VENDOR_RULES.find(([prefix]) => name === prefix || name.startsWith(`${prefix}-`))?.[2];
    for (const name of [
      'qwen2.5-7b',
      'qwen3-8b',
      'deepseek-v4-flash',
      'llama3-8b',
      'pixtral-12b',
    ]) {
      assert.equal(qualityOf(name), 'exact', name);
    }
    for (const name of ['qwen3.5-27b', 'qwen-max', 'deepseek-chat', 'mistral-large-2512']) {
      assert.equal(qualityOf(name), 'estimated', name);
    }
  });

  it('gpt-6, whose vocabulary nobody has published, is estimated without a warning', () => {
    const expected = { encoding: 'o200k_base', quality: 'estimated' };
    assert.deepEqual(encodingForModel('gpt-6-astra'), expected);
  });

  it('the name of an encoding is a model', () => {
    for (const encoding of ['o200k_harmony', 'cl100k_base', 'p50k_edit', 'gpt2']) {
      assert.deepEqual(encodingForModel(encoding), { encoding, quality: 'exact' });
      assert.equal(countTokens('hello world', encoding), 2);
    }
  });

  it('an unknown model gets the newest encoding, estimated, with one warning', () => {
    const warnings: string[] = [];
    setWarningHook((message) => warnings.push(message));
    forgetWarnings();
    try {
      for (let i = 0; i < 3; i++) {
        const expected = { encoding: 'o200k_base', quality: 'estimated' };
        assert.deepEqual(encodingForModel('my-own-model'), expected);
        assert.deepEqual(encodingForModel('o10-mystery'), expected);
      }
      assert.equal(warnings.length, 2);
      assert.match(warnings[0] ?? '', /my-own-model/);
    } finally {
      setWarningHook();
    }
  });

  it('a thousand unknown models are bounded in warnings and memory', () => {
    const warnings: string[] = [];
    setWarningHook((message) => warnings.push(message));
    forgetWarnings();
    try {
      for (let i = 0; i < 3000; i++) encodingForModel(`made-up-${i}`);
      assert.ok(warnings.length <= 1000);
    } finally {
      setWarningHook();
    }
  });

  it('aliases name a deployment, by model or by encoding, regardless of case', () => {
    setModelAliases({ 'Our-Deployment': 'gpt-4', legacy: 'r50k_base' });
    try {
      assert.deepEqual(encodingForModel('our-deployment'), {
        encoding: 'cl100k_base',
        quality: 'exact',
      });
      assert.equal(encodingForModel('LEGACY').encoding, 'r50k_base');
    } finally {
      setModelAliases({});
    }
    assert.equal(encodingForModel('our-deployment').quality, 'estimated');
  });
});
