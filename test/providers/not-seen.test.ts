import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isModelPath, unsupportedApi } from '../../src/host/unmetered-calls.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const WARNING = '`TOKEN_METER_UNSUPPORTED_API`';

/** What an installed SDK can send, and what of it creates a record. */
interface SentRequests {
  /** Paths with `x` for every name in them. */
  readonly paths: () => readonly string[];
  readonly metered: RegExp;
  /** Words of docs/providers.md, by the end of the paths. */
  readonly notSeen: readonly (readonly [paths: RegExp, words: string])[];
  /** No model runs, or only to set up what another request runs. */
  readonly noModel: RegExp;
}

const SDKS: Readonly<Record<string, SentRequests>> = {
  openai: {
    paths: () => posted('openai/resources', '.mjs'),
    metered:
      /^(?:\/chat\/completions|\/completions|\/responses(?:\/compact)?|\/embeddings|\/images\/\w+|\/audio\/(?:speech|transcriptions|translations)|\/moderations|\/decisions)$/,
    notSeen: [
      [/^\/threads\/(?:x\/)?runs$/, "assistants' runs"],
      [/^\/videos(?:\/edits|\/extensions|\/x\/remix)?$/, 'videos'],
      [/^\/agents\/(?:automations\/x\/invocations|sessions(?:\/x\/events)?)$/, 'hosted agents'],
      [/^\/evals\/x\/runs$|\/graders\/run$/, 'evaluations and graders'],
      [/^\/chatkit\/sessions$/, 'ChatKit'],
      [
        /^\/live\/sessions(?:\/x\/(?:accept|fork))?$|^\/realtime\/translations/,
        '`gpt-live` and translation sessions',
      ],
      [
        /^\/realtime\/(?:calls|sessions|client_secrets|transcription_sessions|calls\/x\/accept)$/,
        'sessions over WebRTC or SIP',
      ],
    ],
    noModel:
      /^\/(?:organization|projects|files|uploads|fine_tuning|vector_stores|containers|skills|vaults|webhook_endpoints|batches|conversations|assistants|content_provenance_checks)(?:\/|$)|^\/(?:evals|threads|audio\/voices?(?:_consents)?|agents|agents\/automations|agents\/environments(?:\/templates)?|videos\/characters)(?:\/x)?$|^\/agents\/(?:environments\/x\/files|automations\/x\/(?:pause|resume)|sessions\/x)$|^\/agents\/environments\/templates\/x$|^\/evals\/x\/runs\/x\/cancel$|^\/chat\/completions\/x$|\/(?:cancel|hangup|refer|reject|input_tokens|messages|submit_tool_outputs)$|^\/threads\/x\/(?:messages|runs)\/x$/,
  },
  '@anthropic-ai/sdk': {
    paths: () => posted('@anthropic-ai/sdk/resources', '.mjs'),
    metered: /^\/v1\/messages(?:\/batches)?$/,
    notSeen: [
      [/^\/v1\/sessions(?:\/x\/events)?$/, '`beta` sessions'],
      [/^\/v1\/(?:deployments\/x\/run|dreams)$/, 'deployments and dreams'],
    ],
    noModel:
      /^\/v1\/(?:organizations|agents|environments|files|memory_stores|skills|tunnels|user_profiles|vaults)(?:\/|$)|^\/v1\/deployments(?:\/x)?(?:\/(?:archive|pause|unpause))?$|\/(?:archive|cancel|count_tokens)$|^\/v1\/sessions\/x(?:\/resources(?:\/x)?)?$/,
  },
  'groq-sdk': {
    paths: () => posted('groq-sdk/resources', '.mjs'),
    metered: /\/(?:chat\/completions|embeddings|audio\/(?:speech|transcriptions|translations))$/,
    notSeen: [],
    noModel: /\/(?:batches|batches\/x\/cancel|files)$/,
  },
  'together-ai': {
    paths: () => posted('together-ai/resources', '.mjs'),
    metered:
      /^\/(?:chat\/completions|completions|embeddings|images\/generations|audio\/(?:speech|transcriptions|translations)|rerank)$/,
    notSeen: [
      [/^\/videos$/, 'videos'],
      [/^\/queue\/submit$/, 'queued calls'],
      [/^\/evaluation$/, 'evaluations'],
    ],
    noModel:
      /^\/(?:batches|compute|deployments|endpoints|projects|fine-tunes|models|tci)(?:\/|$)|^\/queue\/(?:cancel|clear)$/,
  },
  '@mistralai/mistralai': {
    paths: mistralPaths,
    metered:
      /^\/v1\/(?:(?:chat|fim|agents)\/completions|embeddings|(?:chat\/)?(?:moderations|classifications)|audio\/(?:transcriptions|speech)|ocr|conversations(?:\/x(?:\/restart)?)?|batch\/jobs)$/,
    notSeen: [
      [
        /^\/v1\/observability\/.*\/live-judging$|^\/v1\/observability\/datasets\/x\/records/,
        'judges',
      ],
      [/^\/v1\/workflows\/(?:(?:x|registrations\/x)\/execute|schedules\/x\/trigger)$/, 'workflows'],
    ],
    noModel:
      /^\/v2\/(?:prompts|skills)(?:\/|$)|^\/v1\/(?:agents|audio\/voices|client|connectors|files|fine_tuning|libraries|observability|rag|service-accounts|users|workflows)(?:\/|$)|\/cancel$/,
  },
  'cohere-ai': {
    paths: () =>
      quotedPaths(
        'cohere-ai',
        readdirSync(modules('cohere-ai'), { recursive: true, encoding: 'utf8' }).filter((file) =>
          /^(?:Client|(?:api|resources).*\/Client)\.js$/.test(file),
        ),
        /["`](v[12]\/[^"`]+)["`]/g,
      ),
    metered: /^\/(?:v[12]\/(?:chat|embed|rerank)|v2\/parse|v1\/(?:generate|summarize))$/,
    notSeen: [
      [/^\/v1\/classify$/, '`classify`'],
      [/^\/v1\/embed-jobs$/, '`embedJobs`'],
      [/^\/v2\/batches$/, 'batches'],
      [/^\/v2\/audio\/transcriptions$/, 'transcriptions'],
    ],
    noModel:
      /^\/v1\/(?:check-api-key|connectors|datasets|models|finetuning|tokenize|detokenize)(?:\/|$)|\/x(?::cancel|\/cancel)?$/,
  },
  '@aws-sdk/client-bedrock-runtime': {
    paths: () =>
      quotedPaths(
        '@aws-sdk/client-bedrock-runtime',
        readdirSync(modules('@aws-sdk/client-bedrock-runtime/dist-es/schemas')).map((name) =>
          join('dist-es/schemas', name),
        ),
        /"POST", "(\/[^"]+)"/g,
      ),
    metered: /^\/model\/x\/(?:converse|converse-stream|invoke|invoke-with-response-stream)$/,
    notSeen: [
      [/^\/async-invoke$|\/invoke-with-bidirectional-stream$/, 'asynchronous and bidirectional'],
      [/^\/guardrail(?:-checks\/invoke|\/x\/version\/x\/apply)$/, 'guardrails'],
    ],
    noModel: /\/count-tokens$/,
  },
  '@google/genai': {
    paths: () =>
      quotedPaths('@google/genai', ['dist/node/index.mjs'], /formatMap\('(\{model\}:[^']+)'/g),
    // Three of the five that predict: images are made, edited or enlarged.
    metered:
      /^\/x:(?:generateContent|streamGenerateContent|(?:batchE|e)mbedContents?|predict|batchGenerateContent)$/,
    notSeen: [
      [/:predictLongRunning$/, 'videos'],
      [/:asyncBatchEmbedContent$/, 'batches of Vertex and of embeddings'],
    ],
    noModel: /:(?:countTokens|computeTokens)$/,
  },
  ollama: {
    paths: () =>
      quotedPaths('ollama', ['dist/browser.mjs'], /\.host\}\/(api\/[a-z_]+)`/g).concat(
        '/api/chat',
        '/api/generate',
      ),
    metered: /^\/api\/(?:chat|generate|embed)$/,
    notSeen: [[/^\/api\/embeddings$/, '`embeddings`']],
    noModel: /^\/api\/(?:copy|delete|ps|show|tags|version|create|pull|push|web_search|web_fetch)$/,
  },
  voyageai: {
    paths: () =>
      quotedPaths(
        'voyageai',
        ['dist/cjs/Client.js'],
        /"((?:[a-z]+embeddings|embeddings|rerank))"/g,
      ),
    metered: /^\/(?:embeddings|contextualizedembeddings|multimodalembeddings|rerank)$/,
    notSeen: [],
    noModel: /^$/,
  },
};

const modules = (name: string): string => join(ROOT, 'node_modules', name);

const plain = (path: string): string =>
  `/${path
    .replace(/[?#].*$/, '')
    .replaceAll(/\$?\{[^}]*\}(?:\)\})?/g, 'x')
    .replace(/^\//, '')}`;

/** Of SDKs made by Stainless: `post('/path'` and `` post(path `/path/${id}` ``. */
function posted(folder: string, ending: string): readonly string[] {
  const files = readdirSync(modules(folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(ending))
    .flatMap((file) => {
      const source = readFileSync(join(modules(folder), file), 'utf8');
      return [...source.matchAll(/\.post\((?:path )?['`]([^'`]+)['`]/g)].map(([, path = '']) =>
        plain(path),
      );
    });
}

function mistralPaths(): readonly string[] {
  const folder = modules('@mistralai/mistralai/esm/funcs');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .filter((source) => source.includes('method: "POST"'))
    .flatMap((source) =>
      [...source.matchAll(/pathToFunc\("([^"]+)"/g)].map(([, path = '']) => plain(path)),
    );
}

function quotedPaths(name: string, files: readonly string[], quoted: RegExp): readonly string[] {
  return files
    .map((file) => readFileSync(join(modules(name), file), 'utf8'))
    .flatMap((source) => [...source.matchAll(quoted)].map(([, path = '']) => plain(path)));
}

describe('every request that an installed SDK can send', () => {
  const document = readFileSync(join(ROOT, 'docs/providers.md'), 'utf8');
  const [, section = ''] = document.split('### Not seen\n');
  const rows = section.split('\n## ')[0]?.split('\n') ?? [];

  for (const [sdk, { paths, metered, notSeen, noModel }] of Object.entries(SDKS)) {
    it(`of ${sdk} is metered, named in docs/providers.md, or runs no model`, () => {
      const sent = [...new Set(paths())];
      assert.ok(sent.length >= 3, sent.join());
      const kindsOf = (path: string): readonly string[] => [
        ...(metered.test(path) ? ['metered'] : []),
        ...notSeen.filter(([ending]) => ending.test(path)).map(([, words]) => words),
      ];
      for (const path of sent) {
        const kinds = kindsOf(path);
        assert.ok(
          kinds.length === 1 || (kinds.length === 0 && noModel.test(path)),
          `${path}: ${kinds.join()}`,
        );
      }
      for (const [ending, words] of notSeen) {
        const found = sent.filter((path) => ending.test(path));
        assert.ok(found.length > 0, `no request of ${words}`);
        const row = rows.find((line) => line.startsWith(`| \`${sdk}\``) && line.includes(words));
        assert.ok(row !== undefined, `no row of ${sdk} with ${words}`);
        const warned = found.filter((path) => unsupportedApi(path) !== undefined);
        assert.equal(
          row.includes(WARNING),
          warned.length === found.length,
          `${row}: ${warned.join()}`,
        );
        if (!row.includes(WARNING)) assert.equal(warned.length, 0, warned.join());
      }
      const known = sent.filter((path) => metered.test(path) && !path.endsWith('batches'));
      for (const path of known) assert.equal(unsupportedApi(path), undefined, path);
    });
  }

  it('by name is a call of a model where a patch meters it', () => {
    for (const path of ['/v1/decisions', '/v1/chat/completions', '/openai/v1/embeddings']) {
      assert.ok(isModelPath(path), path);
    }
  });
});
