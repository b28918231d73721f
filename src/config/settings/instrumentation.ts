import type { Setting } from '../setting.ts';
import { boolean, oneOf, string } from './kinds.ts';

/** What is measured, and how. */
export const instrumentation: readonly Setting[] = [
  {
    key: 'counting',
    path: 'counting',
    block: 'instrumentation',
    kind: oneOf('missing', 'always', 'never'),
    env: ['TOKEN_METER_COUNTING'],
    default: 'missing',
    description:
      'When tokens are counted locally: where the provider reports none, always, or never.',
  },
  {
    key: 'metric_names',
    path: 'metricNames',
    block: 'instrumentation',
    kind: oneOf('v1_41', 'latest', 'both'),
    env: ['TOKEN_METER_METRIC_NAMES'],
    default: 'v1_41',
    description:
      'Generation of the GenAI conventions. OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental means latest.',
  },
  {
    key: 'metric_attributes',
    path: 'metricAttributes',
    block: 'instrumentation',
    kind: { type: 'list' },
    env: ['TOKEN_METER_METRIC_ATTRIBUTES'],
    default: [],
    description: 'Extra attributes that metrics carry. Each one multiplies the series.',
  },
  {
    key: 'capture_content',
    path: 'captureContent',
    block: 'instrumentation',
    kind: boolean,
    env: ['TOKEN_METER_CAPTURE_CONTENT'],
    default: false,
    description: 'Whether spans carry prompts and answers. Metrics and the ledger never do.',
  },
  {
    key: 'user_id_hash_key',
    path: 'userIdHashKey',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_USER_ID_HASH_KEY'],
    secret: true,
    description: 'When set, user ids are recorded as their HMAC-SHA-256 under this key.',
  },
  {
    key: 'request_identity',
    path: 'requestIdentity',
    block: 'instrumentation',
    kind: oneOf('never', 'plain', 'all'),
    env: ['TOKEN_METER_REQUEST_IDENTITY'],
    default: 'plain',
    description:
      'Whether user and conversation are read from requests: never, from fields that name them, or also from fields that may hold hashes.',
  },
  {
    key: 'native_spans',
    path: 'nativeSpans',
    block: 'instrumentation',
    kind: oneOf('enrich', 'separate'),
    env: ['TOKEN_METER_NATIVE_SPANS'],
    default: 'enrich',
    description: 'Where an SDK makes its own span: enrich that one, or make ours beside it.',
  },
  {
    key: 'chunk_times',
    path: 'chunkTimes',
    block: 'instrumentation',
    kind: oneOf('mean', 'each'),
    env: ['TOKEN_METER_CHUNK_TIMES'],
    default: 'mean',
    description:
      'Times between the chunks of a stream, as a metric: their mean once a call, or each of them.',
  },
  {
    key: 'model_aliases',
    path: 'modelAliases',
    block: 'instrumentation',
    kind: { type: 'map' },
    env: ['TOKEN_METER_MODEL_ALIASES'],
    description: 'Model or encoding behind names of your own, such as my-deployment=gpt-4o.',
  },
  {
    key: 'prices_file',
    path: 'pricesFile',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_PRICES_FILE'],
    description: 'JSON file with prices of your own contracts; they win over the bundled ones.',
  },
];
