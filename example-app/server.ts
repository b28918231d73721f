import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { OpenAI } from 'openai';
import { flush, shutdown } from 'otel-token-meter';
import { budgetAccounts, type BudgetShare, onBudgetShare } from 'otel-token-meter/budgets';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import type { StoreConfigs } from 'otel-token-meter/exporter';
import { startAlerts } from './alerts.ts';
import { createApp } from './app.ts';
import { ChatService } from './chat/chat-service.ts';
import { DEMO_MODELS, startDemoModel } from './demo-model/server.ts';
import { erase } from './erasure.ts';
import type { AppEnvironment } from './environment.ts';
import { startLiveBudgets } from './live-budgets.ts';
import { startLiveEntries } from './live-entries.ts';
import { startLiveSettings } from './live-settings.ts';
import { Access, isLoopback, reasonNotToListenOn, signInLink } from './middleware/access.ts';
import { prepareConsole, watchConsole } from './middleware/console-bundle.ts';
import { Fleet } from './middleware/fleet.ts';
import type { Logger } from './logger.ts';
import { limitServer } from './middleware/protection.ts';
import { sessionSecret } from './middleware/session-secret.ts';
import { Signer } from './middleware/signer.ts';
import { OpenIdProvider } from './openid/openid-provider.ts';
import { alertRoutes } from './routes/alerts.ts';
import { budgetsRoutes } from './routes/budgets.ts';
import { consoleEntriesRoutes } from './routes/console-entries.ts';
import { chatRoutes } from './routes/chat.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import type { OpenIdSignIn } from './routes/openid.ts';
import { otlpRoutes } from './routes/otlp.ts';
import { settingsReadiness } from './routes/settings-wire.ts';
import { settingsRoutes } from './routes/settings.ts';
import { type UsageRoutesOptions, usageRoutes } from './routes/usage.ts';
import { endOnSignal, shutDown } from './shutdown.ts';
import type { AppTelemetry } from './telemetry.ts';

/** Words per second of the demo model, slow enough to watch a stream. */
const DEMO_CHUNK_PAUSE_MS = 15;
/** The console is bundled so long after the start, or for its first visitor. */
const BUNDLE_AFTER_MS = 2000;
/** The part of the ledger that is read then. */
const WARM_UP_MS = 3_600_000;
const SHUTDOWN_MS = 4800;
const SESSION_SECRET_PATH = '.token-meter/session-secret';

/** Starts all components, listens, and shuts them down in order on SIGINT and SIGTERM. */
export async function startServer(
  environment: AppEnvironment,
  telemetry: AppTelemetry,
  logger: Logger,
): Promise<void> {
  const { host, port, proxies, config } = environment;
  const { access, openId } = accessOf(environment, logger);
  const fleet = fleetOf(config, logger);
  const stopping = new AbortController();
  const endAnswers = new AbortController();
  const demo =
    environment.openai === undefined
      ? await startDemoModel({ chunkPauseMs: DEMO_CHUNK_PAUSE_MS })
      : undefined;
  const client = new OpenAI(
    environment.openai ?? { apiKey: 'demo', baseURL: demo?.url, maxRetries: 0 },
  );
  const live = await startLiveSettings({
    config,
    instrumentation: telemetry.instrumentation,
    name: `${hostname()}:${port}`,
    details: () => ({ exporter: telemetry.status() }),
  });
  const { settings } = live;
  const budgets = await startLiveBudgets(
    config,
    telemetry.instrumentation,
    `${hostname()}:${port}`,
  );
  const entries = await startLiveEntries(config, `${hostname()}:${port}`);
  const alerts =
    telemetry.reader === undefined
      ? undefined
      : await startAlerts({
          config: config.alerts,
          settings: config.settings,
          reader: telemetry.reader,
          isRecording: () => settings.get().enabled,
          log: logger,
        });
  const endShares = onBudgetShare((share) => {
    if (alerts === undefined) logger.warn(describeShare(share));
    else alerts.reportBudget(share);
  });
  const app = createApp({
    access,
    proxies,
    fleet,
    openId,
    stopping: stopping.signal,
    onError: (error) => logger.error({ err: error }, 'a request failed'),
    routes: [
      ...chatRoutes({
        chat: new ChatService(client),
        role: access.isOpen && isLoopback(host) ? 'anyone' : 'viewer',
        models: DEMO_MODELS,
        dimensions: config.dimensions,
        demo: demo !== undefined,
        endAnswers: endAnswers.signal,
      }),
      ...otlpRoutes({
        ingest: telemetry.ingest,
        role: access.isOpen && isLoopback(host) ? 'anyone' : 'reporter',
      }),
      ...settingsRoutes({ settings, stopping: stopping.signal }),
      ...budgetsRoutes({
        settings: budgets.settings,
        accounts: budgetAccounts,
        stopping: stopping.signal,
      }),
      ...consoleEntriesRoutes({ settings: entries, stopping: stopping.signal }),
      ...(telemetry.reader === undefined
        ? []
        : usageRoutes({
            reader: telemetry.reader,
            pricesFile: config.pricesFile,
            listFile: config.prices.listFile,
            dimensions: config.dimensions,
            currency: () => telemetry.instrumentation.priceSource?.currency,
            erase: erasure(config, logger),
          })),
      ...alertRoutes({ alerts: () => alerts }),
      ...dashboardRoutes({
        reader: telemetry.reader,
        settings,
        exporter: () => telemetry.status(),
        backlogs: () => telemetry.backlogs(),
        prices: () => telemetry.instrumentation.priceSource,
        dimensions: config.dimensions,
        alerts: (teams) => alerts?.status(teams).active ?? [],
        stopping: stopping.signal,
      }),
    ],
    checks: {
      settings: () => settingsReadiness(settings.status),
      ledger: () => ({ ready: true, state: telemetry.status()?.state ?? 'none' }),
    },
  });
  const server = createServer(app.callback());
  limitServer(server);
  await listen(server, host, port, logger);
  startConsole(telemetry.reader, logger);
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  endOnSignal({
    deadlineMs: SHUTDOWN_MS,
    log: (line) => logger.info(line),
    close: () =>
      shutDown({
        server,
        stopping,
        endAnswers,
        flush,
        shutdown,
        parts: [
          () => alerts?.close(),
          () => live.close(),
          () => budgets.close(),
          () => entries.close(),
          async () => endShares(),
          async () => fleet?.close(),
          () => telemetry.shutdown(),
          () => demo?.close(),
        ],
      }),
  });
  console.log(
    [
      `otel-token-meter example: ${origin}`,
      `  sign in   ${signInLink(origin, access) ?? `${origin}/sign-in, ${openId === undefined ? '' : `by ${openId.provider.name} or `}with your token`}`,
      `  model     ${demo === undefined ? (environment.openai?.baseURL ?? 'api.openai.com') : 'offline demo model (set OPENAI_API_KEY for a real one)'}`,
      `  ledger    ${telemetry.ledger.where}`,
      `  settings  ${config.settings.store}`,
    ].join('\n'),
  );
}

/** The log has who did it, and not whose calls they were: they are to be forgotten. */
function erasure(
  { metrics }: TokenMeterConfig,
  logger: Logger,
): NonNullable<UsageRoutesOptions['erase']> {
  return async ({ by, userId, dryRun }) => {
    const provider = metrics.provider as keyof StoreConfigs;
    // What this process has not delivered yet is to be found.
    await flush();
    const result = await erase({ provider, configs: metrics, userId, dryRun });
    const { found, erased } = result;
    if (!dryRun) logger.info({ by, found, erased }, 'calls of a user were erased');
    return result;
  };
}

/** As JSON, since names come from callers. */
function describeShare({ id, key, share, spent, limit, unit, resetsAt }: BudgetShare): string {
  const whose = Object.keys(key).length === 0 ? '' : ` of ${JSON.stringify(key)}`;
  return `budget ${id}${whose} has reached ${Math.round(share * 100)} %: ${spent} of ${limit} ${unit}, until ${resetsAt}`;
}

interface AppAccess {
  readonly access: Access;
  readonly openId: OpenIdSignIn | undefined;
}

/** Ends the process where the application would be open to strangers. */
function accessOf(environment: AppEnvironment, logger: Logger): AppAccess {
  const { host, adminTokens, viewerTokens, viewerTeams, reporterTokens, openId } = environment;
  try {
    const secret = sessionSecret(environment.sessionSecret, SESSION_SECRET_PATH);
    const access = new Access({
      adminTokens,
      viewerTokens,
      viewerTeams,
      reporterTokens,
      teamsClaim: openId?.teamsClaim,
      sessionSecret: secret,
      hasOtherSignIn: openId !== undefined,
    });
    const reason = reasonNotToListenOn(host, access);
    if (reason === undefined) return { access, openId: openIdOf(environment, secret, logger) };
    logger.fatal(`HOST is ${host}, but ${reason}. Or leave HOST at 127.0.0.1.`);
  } catch (error) {
    logger.fatal((error as Error).message);
  }
  return process.exit(1);
}

function openIdOf(
  { openId }: AppEnvironment,
  secret: string,
  log: Logger,
): OpenIdSignIn | undefined {
  if (openId === undefined) return undefined;
  const provider = new OpenIdProvider({ ...openId, log });
  void provider.check();
  return { provider, signer: new Signer(secret, { purpose: 'openid sign-in' }), log };
}

function fleetOf({ settings }: TokenMeterConfig, logger: Logger): Fleet | undefined {
  const { store, redis } = settings;
  if (store !== 'redis' || !/^rediss?:/.test(redis.url)) return undefined;
  return new Fleet({
    url: redis.url,
    keyPrefix: redis.keyPrefix,
    onLost: (reason) => logger.warn(`limits count by instance while Redis is away: ${reason}`),
  });
}

/**
 * A visitor who comes before it is bundled waits for it, and for the thread that reads the ledger. Without its
 * console, the application still serves its API.
 */
function startConsole(reader: AppTelemetry['reader'], logger: Logger): void {
  const isWatched = process.argv.includes('--watch');
  const start = async (): Promise<void> => {
    try {
      await (isWatched ? watchConsole() : prepareConsole());
      const from = new Date(Date.now() - WARM_UP_MS);
      await reader?.records({ from, limit: 1 }).catch(() => undefined);
    } catch (error) {
      logger.error({ err: error }, 'the console cannot be bundled');
    }
  };
  // Not while the rest of the application starts, nor for a process that soon ends.
  setTimeout(() => void start(), isWatched ? 0 : BUNDLE_AFTER_MS).unref();
}

async function listen(server: Server, host: string, port: number, logger: Logger): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    logger.fatal(
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is in use: set PORT to another one (0 for any free port).`
        : `Cannot listen on ${host}:${port}: ${String(error)}`,
    );
    process.exit(1);
  }
}
