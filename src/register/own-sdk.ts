import { readFileSync } from 'node:fs';
import { warnHost } from '../host/host-warning.ts';
import { requireHere } from '../host/require-here.ts';

export interface OwnSdk {
  /** It shows its own diagnostics, and ours with them. */
  readonly setsDiagLogger: boolean;
  start(): void;
  /** Flushes too. Never rejects. */
  shutdown(): Promise<void>;
}

interface Running {
  shutdown(): Promise<void>;
}

interface NodeSdkPackage {
  readonly NodeSDK: new () => Running & { start(): void };
  /** For declarative files alone: without one, SDK 2.x starts nothing here. */
  startNodeSdk?(): Running;
  /** The name in SDK 2.x. */
  startNodeSDK?(): Running;
}

/** Blocks of the declarative file that only an SDK can serve. */
const SDK_BLOCK = /^(?:tracer|meter|logger)_provider:/m;

/**
 * The SDK to start where the application starts none. `wantedBy` is the setting or variable that asks
 * for one; without it a declarative file with providers does. Loaded now, started when needed;
 * `undefined` when it is not needed or not installed.
 */
export function loadOwnSdk(
  wantedBy: string | undefined,
  file: string | undefined,
): OwnSdk | undefined {
  const needed = wantedBy ?? fileWithProviders(file);
  if (needed === undefined) return undefined;
  let sdk: NodeSdkPackage;
  try {
    sdk = requireHere()('@opentelemetry/sdk-node') as NodeSdkPackage;
  } catch {
    warnHost(
      'TOKEN_METER_SDK_MISSING',
      `${needed} needs an OpenTelemetry SDK: npm install @opentelemetry/sdk-node`,
    );
    return undefined;
  }
  let running: Running | undefined;
  return {
    setsDiagLogger: file !== undefined || Boolean(process.env['OTEL_LOG_LEVEL']),
    start: () => (running = file === undefined ? startFromEnv(sdk) : startFromFile(sdk)),
    shutdown: async () => await running?.shutdown().catch(() => undefined),
  };
}

function startFromEnv({ NodeSDK }: NodeSdkPackage): Running {
  const sdk = new NodeSDK();
  sdk.start();
  return sdk;
}

function startFromFile(sdk: NodeSdkPackage): Running | undefined {
  return sdk.startNodeSdk?.() ?? sdk.startNodeSDK?.();
}

function fileWithProviders(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return SDK_BLOCK.test(readFileSync(file, 'utf8')) ? file : undefined;
  } catch {
    return undefined;
  }
}
