import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { OpenAI } from 'openai';
import { flush } from 'otel-token-meter';
import { startAlerts } from './alerts.ts';
import { createApp } from './app.ts';
import { ChatService } from './chat/chat-service.ts';
import { DEMO_MODELS, startDemoModel } from './demo-model/server.ts';
import type { AppEnvironment } from './environment.ts';
import { startLiveSettings } from './live-settings.ts';
import { Access, isLoopback, mayListenOn, signInLink } from './middleware/access.ts';
import { limitServer } from './middleware/protection.ts';
import { chatRoutes } from './routes/chat.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { settingsRoutes } from './routes/settings.ts';
import { usageRoutes } from './routes/usage.ts';
import type { AppTelemetry } from './telemetry.ts';

/** Words per second of the demo model, slow enough to watch a stream. */
const DEMO_CHUNK_PAUSE_MS = 15;
const SHUTDOWN_MS = 5000;

/** Starts all components, listens, and shuts them down in order on SIGINT and SIGTERM. */
export async function startServer(
  environment: AppEnvironment,
  telemetry: AppTelemetry,
): Promise<void> {
  const { host, port, proxies, config } = environment;
  const access = new Access({
    adminTokens: environment.adminTokens,
    viewerTokens: environment.viewerTokens,
  });
  if (!mayListenOn(host, access)) {
    console.error(
      `HOST is ${host}, but TOKEN_METER_ADMIN_TOKEN is not set: the settings would be open to the network.\n` +
        'Set a token, or leave HOST at 127.0.0.1.',
    );
    process.exit(1);
  }
  const stopping = new AbortController();
  const demo =
    environment.openai === undefined
      ? await startDemoModel({ chunkPauseMs: DEMO_CHUNK_PAUSE_MS })
      : undefined;
  const client = new OpenAI(
    environment.openai ?? { apiKey: 'demo', baseURL: demo?.url, maxRetries: 0 },
  );
  const settings = await startLiveSettings({
    config,
    instrumentation: telemetry.instrumentation,
    name: `${hostname()}:${port}`,
    details: () => ({ exporter: telemetry.status() }),
  });
  const alerts =
    telemetry.reader === undefined
      ? undefined
      : await startAlerts({
          config: config.alerts,
          reader: telemetry.reader,
          isRecording: () => settings.get().enabled,
          log: (line) => console.warn(line),
        });
  const app = createApp({
    access,
    proxies,
    stopping: stopping.signal,
    routes: [
      ...chatRoutes({
        chat: new ChatService(client),
        role: access.generatedToken === undefined || !isLoopback(host) ? 'viewer' : 'anyone',
        models: DEMO_MODELS,
        demo: demo !== undefined,
      }),
      ...settingsRoutes({ settings, stopping: stopping.signal }),
      ...(telemetry.reader === undefined ? [] : usageRoutes({ reader: telemetry.reader })),
      ...dashboardRoutes({
        reader: telemetry.reader,
        settings,
        exporter: () => telemetry.status(),
        prices: () => telemetry.instrumentation.priceSource,
        alerts: () => alerts?.active() ?? [],
        stopping: stopping.signal,
      }),
    ],
    checks: {
      settings: () => ({ ready: true, state: settings.status.state }),
      ledger: () => ({ ready: true, state: telemetry.status()?.state ?? 'none' }),
    },
  });
  const server = createServer(app.callback());
  limitServer(server);
  await listen(server, host, port);
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  console.log(
    [
      `otel-token-meter example: ${origin}`,
      `  sign in   ${signInLink(origin, access) ?? `${origin}/sign-in, with your token`}`,
      `  model     ${demo === undefined ? (environment.openai?.baseURL ?? 'api.openai.com') : 'offline demo model (set OPENAI_API_KEY for a real one)'}`,
      `  ledger    ${telemetry.ledger.where}`,
      `  settings  ${config.settings.store}`,
    ].join('\n'),
  );

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stopping.abort();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    server.close();
    server.closeIdleConnections();
    await once(server, 'close');
    await flush();
    await alerts?.close();
    await settings.close();
    await telemetry.shutdown();
    await demo?.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      closing ??= close().then(() => process.exit(0));
    });
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    console.error(
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is in use: set PORT to another one (0 for any free port).`
        : `Cannot listen on ${host}:${port}: ${String(error)}`,
    );
    process.exit(1);
  }
}
