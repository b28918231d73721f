import { diag, DiagConsoleLogger, DiagLogLevel } from '@opentelemetry/api';
import { RedisBudgetStore } from '../budgets/stores/redis.ts';
import {
  exportWantedBy,
  isDisabledByName,
  resolveConfig,
  type ResolvedConfig,
} from '../config/index.ts';
import { shutdown } from '../metering-in-force.ts';
import { warnHost } from '../host/host-warning.ts';
import { TokenMeterInstrumentation } from '../instrumentation.ts';
import { nodeProblem } from '../host/node-version.ts';
import { isSdkRegistered } from '../otel/telemetry.ts';
import { callLine } from './call-line.ts';
import { loadDestination, type ConfiguredDestination } from './destination.ts';
import { followLiveBudgets } from './live-budgets.ts';
import { followSettings } from './live-settings.ts';
import { loadOwnSdk, type OwnSdk } from './own-sdk.ts';
import { resourceAttributes } from './resource.ts';
import { onShutdown } from './shutdown.ts';

const STARTED = Symbol.for('otel-token-meter.registered');

/**
 * The composition root of the preload. Usage goes to whatever the OpenTelemetry API has registered, and
 * beside that to the destination of our configuration. Whether
 * an SDK has to be started is decided at the first call: by then the application has started its own,
 * if it has one. Never throws.
 */
export function startRegistered(env: NodeJS.ProcessEnv = process.env): void {
  const once = globalThis as { [STARTED]?: true };
  if (once[STARTED] === true || env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return;
  if (isDisabledByName(env)) return;
  once[STARTED] = true;
  const unfit = nodeProblem();
  if (unfit !== undefined) warnHost('TOKEN_METER_NODE', `Node ${unfit}; calls may go unseen`);
  try {
    start(env);
  } catch (error) {
    warnHost('TOKEN_METER_REGISTER', `could not start: ${String(error)}; nothing is metered`);
  }
}

function start(env: NodeJS.ProcessEnv): void {
  const resolved = resolveConfig({ env });
  const { values: config, file } = resolved;
  const resource = resourceAttributes(env, file);
  const destination = loadDestination(config.metrics, resource);
  const sdk = loadOwnSdk(exportWantedBy(resolved, env), file);
  const first = firstCall(sdk);

  const prints = printsLines(resolved);
  const { store, redis } = config.settings;
  const instrumentation = new TokenMeterInstrumentation({
    ...(store === 'redis' && { budgetStore: new RedisBudgetStore(redis) }),
    onUsage: (record) => {
      if (prints()) process.stderr.write(`${callLine(record)}\n`);
    },
  });
  instrumentation.addDestination({ ...destination, onCall: first });
  const settings = followSettings(config, instrumentation, () => statusOf(destination));
  const budgets = followLiveBudgets(config, instrumentation);
  onShutdown({
    byItself: async () => {
      if (instrumentation.held.held > 0) await settings.known();
      await shutdown();
      await Promise.allSettled([destination.end(), sdk?.shutdown()]);
      settings.leave();
      budgets.leave();
    },
    bySignal: async () => {
      await settings.known();
      await shutdown();
      await Promise.allSettled([
        destination.flush(),
        sdk?.shutdown(),
        settings.close(),
        budgets.close(),
      ]);
    },
  });
}

/** Runs once, when the first call starts: the application's own SDK stands by then, if ever. */
function firstCall(sdk: OwnSdk | undefined): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    if (isSdkRegistered()) return;
    if (sdk?.setsDiagLogger !== true && !hasDiagLogger()) {
      // Nobody else shows what is wrong: a full disk, a refused token.
      diag.setLogger(new DiagConsoleLogger(), { logLevel: DiagLogLevel.WARN });
    }
    sdk?.start();
  };
}

/** The application may have set one without an SDK; the API has no way to ask for it. */
function hasDiagLogger(): boolean {
  const api = (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')];
  return (api as { readonly diag?: unknown } | undefined)?.diag !== undefined;
}

/** By default only where no SDK takes the records; always when the configuration says console. */
function printsLines({ values, settings }: ResolvedConfig): () => boolean {
  if (values.metrics.provider !== 'console') return () => false;
  const provider = settings.find(({ setting }) => setting.key === 'metrics.provider');
  return provider?.origin.from === 'default' ? () => !isSdkRegistered() : () => true;
}

function statusOf(destination: ConfiguredDestination): object {
  const exporter = destination.status();
  return exporter === undefined ? {} : { exporter };
}
