import { globSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Rooms of the source tree, with their purpose and the rooms they may import. `npm run build:rooms`
 * generates the lint rules and the drawing and table of docs/architecture.md from this list. Any
 * other import between rooms is a lint error.
 */
export interface Room {
  /** A folder, or a file in the root of `src`. Relative to the repository root. */
  readonly path: string;
  readonly what: string;
  /** Paths of other rooms. */
  readonly imports: readonly string[];
}

const SRC_GROUND = ['src/errors.ts', 'src/host', 'src/otel', 'src/domain'] as const;

const root = new URL('../../', import.meta.url);

/** Every store alike, so that a new one is no more than its folder with `read` and `write`. */
const stores: readonly Room[] = globSync('exporter/*/write', { cwd: root })
  .map((folder) => dirname(folder))
  .toSorted()
  .map((path) => ({
    path,
    what: `a store of the ledger: ${partsOf(path)}; shared between them: schema, options, connection`,
    imports: [
      ...SRC_GROUND,
      'exporter/connection',
      'exporter/delivery',
      'exporter/health',
      'exporter/ledger',
      'exporter/spool',
    ],
  }));

function partsOf(path: string): string {
  return globSync(`${path}/*/`, { cwd: root })
    .map((part) => `\`${basename(part)}\``)
    .toSorted()
    .join(', ');
}

/** Lower floors first. */
export const rooms: readonly Room[] = [
  {
    path: 'src/tokens',
    what: 'token counting: engine (WebAssembly), framing of chats, tools and images; narrowing of JSON. No OpenTelemetry imports',
    imports: [],
  },
  {
    path: 'src/host',
    what: 'access to the host process: loader hook, warnings, versions, folders, files that are replaced or locked, detection of unmetered calls',
    imports: [],
  },
  { path: 'src/errors.ts', what: 'the error class and its codes', imports: [] },
  {
    path: 'src/otel',
    what: 'semantic conventions, API providers, resource, spans created by SDKs',
    imports: ['src/host'],
  },
  {
    path: 'src/domain',
    what: 'shared types: request facts, reply, reported usage, call shape, ended call, usage record',
    imports: ['src/tokens'],
  },
  {
    path: 'src/context.ts',
    what: '`withUsageContext`: user, conversation, team and dimensions in the OpenTelemetry Context',
    imports: ['src/domain', 'src/host'],
  },
  {
    path: 'src/prices',
    what: 'cost of a call: price list, contract prices, sums in nano-dollars',
    imports: ['src/domain', 'src/errors.ts', 'src/host', 'src/tokens'],
  },
  {
    path: 'src/bill',
    what: 'the figures of providers beside the ledger: readers of their APIs and files, reasons of differences, FOCUS',
    imports: ['src/domain', 'src/errors.ts', 'src/prices', 'src/tokens'],
  },
  {
    path: 'src/settings',
    what: 'live settings and their stores: memory, file, Redis',
    imports: ['src/errors.ts', 'src/host'],
  },
  {
    path: 'src/budgets',
    what: 'budgets: definitions, windows, accounts, what calls reserve and spend, and the store that a fleet shares',
    imports: [
      'src/context.ts',
      'src/domain',
      'src/errors.ts',
      'src/host',
      'src/settings',
      'src/tokens',
    ],
  },
  {
    path: 'src/options.ts',
    what: 'options of the instrumentation',
    imports: ['src/budgets', 'src/domain', 'src/errors.ts'],
  },
  {
    path: 'src/config',
    what: 'configuration from file, environment, code and defaults, defined in one settings table',
    imports: ['src/budgets', 'src/domain', 'src/errors.ts', 'src/host', 'src/settings'],
  },
  {
    path: 'src/agents',
    what: 'steps of a run (agents, tools, workflows) and MCP requests: scope in the Context, spans, metrics',
    imports: ['src/context.ts', 'src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/call',
    what: 'lifecycle of one call: span, context, outcome, time to first chunk, observation of streams',
    imports: ['src/agents', 'src/context.ts', 'src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/usage',
    what: 'converts an ended call to a usage record, and emits span, metrics and event',
    imports: ['src/domain', 'src/host', 'src/otel', 'src/tokens'],
  },
  {
    path: 'src/providers',
    what: 'one folder per SDK: patches, and readers of requests, replies and stream events',
    imports: [
      'src/agents',
      'src/budgets',
      'src/call',
      'src/context.ts',
      'src/domain',
      'src/host',
      'src/otel',
      'src/tokens',
    ],
  },
  {
    path: 'src/budgeted-calls.ts',
    what: 'where calls and their records meet the budgets of the process',
    imports: ['src/budgets', 'src/domain', 'src/host', 'src/usage'],
  },
  {
    path: 'src/ingest',
    what: 'calls that other programs report by OTLP: decoding, one reader per sender, duplicates, records',
    imports: [...SRC_GROUND, 'src/prices', 'src/tokens', 'src/usage'],
  },
  {
    path: 'src/metering.ts',
    what: 'wires everything between a call and its record, for one instrumentation',
    imports: [
      ...SRC_GROUND,
      'src/agents',
      'src/budgeted-calls.ts',
      'src/budgets',
      'src/call',
      'src/config',
      'src/context.ts',
      'src/options.ts',
      'src/prices',
      'src/tokens',
      'src/usage',
    ],
  },
  {
    path: 'src/metering-in-force.ts',
    what: 'the meterings of this process: whom a call is recorded for, and their end',
    imports: [
      ...SRC_GROUND,
      'src/budgets',
      'src/call',
      'src/context.ts',
      'src/metering.ts',
      'src/usage',
    ],
  },
  {
    path: 'src/manual',
    what: '`meterChat`, `recordUsage`, `withAgent`, `withTool` and `withWorkflow`',
    imports: [
      ...SRC_GROUND,
      'src/agents',
      'src/budgets',
      'src/call',
      'src/context.ts',
      'src/metering-in-force.ts',
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
      'src/budgets',
      'src/call',
      'src/config',
      'src/context.ts',
      'src/metering-in-force.ts',
      'src/metering.ts',
      'src/options.ts',
      'src/prices',
      'src/providers',
    ],
  },
  {
    path: 'src/register',
    what: 'the preload, a composition root. Loads the exporter by its published name if configured',
    imports: [
      'src/budgets',
      ...SRC_GROUND,
      'src/config',
      'src/instrumentation.ts',
      'src/metering-in-force.ts',
      'src/settings',
    ],
  },
  {
    path: 'src/cli',
    what: 'CLI commands, one file each, composition roots. Load the exporter by its published name',
    imports: [
      'src/budgets',
      ...SRC_GROUND,
      'src/bill',
      'src/config',
      'src/instrumentation.ts',
      'src/metering-in-force.ts',
      'src/prices',
      'src/providers',
      'src/settings',
      'src/tokens',
      'src/usage',
    ],
  },
  {
    path: 'exporter/health',
    what: 'counters, status, self-metrics, flush at process end',
    imports: SRC_GROUND,
  },
  { path: 'exporter/spool', what: 'durable queue on disk', imports: SRC_GROUND },
  {
    path: 'exporter/connection',
    what: 'how a server is reached: address, proxy, certificates, sockets; checks of options',
    imports: SRC_GROUND,
  },
  {
    path: 'exporter/delivery',
    what: 'from the process to any server: intake, spool, batches, pauses after failures, refused lines',
    imports: [...SRC_GROUND, 'exporter/connection', 'exporter/health', 'exporter/spool'],
  },
  {
    path: 'exporter/ledger',
    what: 'ledger events and queries: aggregation, ranking, time zones',
    imports: SRC_GROUND,
  },
  {
    path: 'exporter/alerts',
    what: 'alert rules on the ledger, their state, and the channels: webhook, Slack, Teams, PagerDuty, e-mail',
    imports: [...SRC_GROUND, 'exporter/ledger'],
  },
  ...stores,
  {
    path: 'exporter/stores.ts',
    what: 'the table of stores: one row each, by the name that the configuration uses',
    imports: [
      ...SRC_GROUND,
      'exporter/delivery',
      'exporter/health',
      'exporter/ledger',
      ...stores.map(({ path }) => path),
    ],
  },
];
