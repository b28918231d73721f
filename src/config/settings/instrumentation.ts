import type { Setting } from '../setting.ts';
import { boolean, oneOf, string } from './kinds.ts';

/** Metering. */
export const instrumentation: readonly Setting[] = [
  {
    key: 'enabled',
    path: 'enabled',
    block: 'instrumentation',
    kind: boolean,
    env: ['OTEL_INSTRUMENTATION_TOKEN_METER_ENABLED'],
    default: true,
    description:
      'Whether the instrumentation is enabled when it is created. enable() and disable() change it.',
  },
  {
    key: 'counting',
    path: 'counting',
    block: 'instrumentation',
    kind: oneOf('missing', 'always', 'never'),
    env: ['TOKEN_METER_COUNTING'],
    default: 'missing',
    description: 'When tokens are counted locally: if the provider reports none, always, or never.',
  },
  {
    key: 'metric_names',
    path: 'metricNames',
    block: 'instrumentation',
    kind: oneOf('v1_41', 'latest', 'both'),
    env: ['TOKEN_METER_METRIC_NAMES'],
    default: 'v1_41',
    description:
      'Generation of the GenAI semantic conventions. OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental selects latest.',
  },
  {
    key: 'dimensions',
    path: 'dimensions',
    block: 'instrumentation',
    kind: { type: 'dimensions' },
    env: ['TOKEN_METER_DIMENSIONS'],
    default: [],
    description:
      'Names of the dimensions that records have beside the team, such as feature. They are columns or tags of every store.',
  },
  {
    key: 'metric_attributes',
    path: 'metricAttributes',
    block: 'instrumentation',
    kind: { type: 'list' },
    env: ['TOKEN_METER_METRIC_ATTRIBUTES'],
    default: [],
    description: 'Additional attributes on metrics. Each one multiplies the number of series.',
  },
  {
    key: 'capture_content',
    path: 'captureContent',
    block: 'instrumentation',
    kind: boolean,
    env: ['TOKEN_METER_CAPTURE_CONTENT'],
    default: false,
    description: 'Whether spans contain prompts and replies. Metrics and the ledger never do.',
  },
  {
    key: 'user_id_hash_key',
    path: 'userIdHashKey',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_USER_ID_HASH_KEY'],
    secret: true,
    description: 'Key for HMAC-SHA-256. When set, user ids are recorded only as their hash.',
  },
  {
    key: 'request_identity',
    path: 'requestIdentity',
    block: 'instrumentation',
    kind: oneOf('never', 'plain', 'all'),
    env: ['TOKEN_METER_REQUEST_IDENTITY'],
    default: 'plain',
    description:
      'Which request fields user and conversation are read from: none, fields that name them, or also fields that may contain hashes.',
  },
  {
    key: 'native_spans',
    path: 'nativeSpans',
    block: 'instrumentation',
    kind: oneOf('enrich', 'separate'),
    env: ['TOKEN_METER_NATIVE_SPANS'],
    default: 'enrich',
    description:
      'For SDKs that create spans themselves: enrich their span, or create an additional one.',
  },
  {
    key: 'chunk_times',
    path: 'chunkTimes',
    block: 'instrumentation',
    kind: oneOf('mean', 'each'),
    env: ['TOKEN_METER_CHUNK_TIMES'],
    default: 'mean',
    description:
      'What the metric of times between chunks records: the mean of a call, or each time.',
  },
  {
    key: 'model_aliases',
    path: 'modelAliases',
    block: 'instrumentation',
    kind: { type: 'map' },
    env: ['TOKEN_METER_MODEL_ALIASES'],
    description: 'Model or encoding of custom names, such as my-deployment=gpt-4o.',
  },
  {
    key: 'prices_file',
    path: 'pricesFile',
    block: 'instrumentation',
    kind: string,
    env: ['TOKEN_METER_PRICES_FILE'],
    description: 'JSON file with contract prices, which take precedence over list prices.',
  },
];
