/**
 * The rooms of the tree: what each is for and which other rooms it may import. Lint and the table of
 * docs/architecture.md are made from this list (`npm run build:rooms`), so the three cannot disagree.
 * A room stands below those that import it: an import that is not listed is a wrong floor.
 */
export interface Room {
  /** Folder, or a file at the root of `src`, from the root of the repository. */
  readonly path: string;
  readonly what: string;
  /** Paths of other rooms. The room itself is always allowed. */
  readonly imports: readonly string[];
}

const SRC_GROUND = ['src/errors.ts', 'src/host', 'src/otel', 'src/domain'] as const;

/** From the ground floor up. */
export const rooms: readonly Room[] = [
  {
    path: 'src/tokens',
    what: 'counting: engine (WebAssembly), framing of chats, tools and images; narrowing of JSON. No OpenTelemetry',
    imports: [],
  },
  {
    path: 'src/host',
    what: 'the process we live in: loader hook, warnings, versions, folders, calls that cannot be seen',
    imports: [],
  },
  { path: 'src/errors.ts', what: 'the error class and all its codes', imports: [] },
  {
    path: 'src/otel',
    what: 'names of the conventions, providers of the API, the resource, spans that SDKs make themselves',
    imports: ['src/host'],
  },
  {
    path: 'src/domain',
    what: 'the vocabulary: request facts, reply, reported usage, call shape, ended call, usage record',
    imports: ['src/tokens'],
  },
  {
    path: 'src/context.ts',
    what: 'user and conversation of the calls made inside',
    imports: ['src/domain', 'src/host'],
  },
  { path: 'src/options.ts', what: 'options of the instrumentation', imports: ['src/domain'] },
  {
    path: 'src/prices',
    what: 'what a call did cost: price list, overrides, sums in nano-dollars',
    imports: ['src/domain', 'src/errors.ts', 'src/host', 'src/tokens'],
  },
  {
    path: 'src/settings',
    what: 'the live switches and their stores: memory, file, Redis',
    imports: ['src/errors.ts', 'src/host'],
  },
  {
    path: 'src/config',
    what: 'one table of settings: file, environment, code, defaults, JSON Schema, docs',
    imports: ['src/errors.ts', 'src/host', 'src/settings'],
  },
  {
    path: 'src/call',
    what: 'the life of one call: span, context, outcome, time to first chunk; streams watched without change',
    imports: ['src/context.ts', 'src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/usage',
    what: 'from an ended call to its record, and to span, metrics, event',
    imports: ['src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/providers',
    what: 'one folder an SDK: where it is patched, how its requests, replies and events read',
    imports: ['src/call', 'src/context.ts', 'src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/metering.ts',
    what: 'everything between a call and its record, put together; which metering is in force',
    imports: [
      ...SRC_GROUND,
      'src/call',
      'src/config',
      'src/options.ts',
      'src/prices',
      'src/tokens',
      'src/usage',
    ],
  },
  {
    path: 'src/manual',
    what: '`meterChat` and `recordUsage`',
    imports: [
      ...SRC_GROUND,
      'src/call',
      'src/context.ts',
      'src/metering.ts',
      'src/providers',
      'src/tokens',
      'src/usage',
    ],
  },
  {
    path: 'src/instrumentation.ts',
    what: '`TokenMeterInstrumentation`',
    imports: [
      ...SRC_GROUND,
      'src/call',
      'src/context.ts',
      'src/metering.ts',
      'src/options.ts',
      'src/prices',
      'src/providers',
    ],
  },
  {
    path: 'src/register',
    what: 'the preload: a composition root. Loads the exporter by its published name, when the configuration asks',
    imports: [
      ...SRC_GROUND,
      'src/config',
      'src/instrumentation.ts',
      'src/metering.ts',
      'src/settings',
    ],
  },
  {
    path: 'src/cli',
    what: 'the commands, one file each: composition roots. They load the exporter by its published name',
    imports: [
      ...SRC_GROUND,
      'src/config',
      'src/instrumentation.ts',
      'src/metering.ts',
      'src/prices',
      'src/providers',
      'src/settings',
      'src/tokens',
      'src/usage',
    ],
  },
  {
    path: 'exporter/health',
    what: 'counts, status, self-metrics, end of the process',
    imports: SRC_GROUND,
  },
  { path: 'exporter/spool', what: 'the durable queue', imports: SRC_GROUND },
  {
    path: 'exporter/ledger',
    what: 'what a record and a question are; sums, ranking, zones',
    imports: SRC_GROUND,
  },
  {
    path: 'exporter/alerts',
    what: 'rules over the ledger, and the webhook that reports them',
    imports: [...SRC_GROUND, 'exporter/ledger'],
  },
  {
    path: 'exporter/influxdb',
    what: 'InfluxDB: `write` (lines, delivery), `read` (InfluxQL), `reprice`; options and transport for all three',
    imports: [...SRC_GROUND, 'exporter/health', 'exporter/ledger', 'exporter/spool'],
  },
  {
    path: 'exporter/sqlite',
    what: 'the embedded ledger: `write`, `read`; schema and roll-up for both',
    imports: [...SRC_GROUND, 'exporter/health', 'exporter/ledger'],
  },
];
