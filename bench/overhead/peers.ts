import { createRequire } from 'node:module';
import { metrics } from '@opentelemetry/api';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import { startFakeAgent } from './datadog-agent.ts';
import { registerTelemetry, seenSpan, spanWatcher, type SeenSpan } from './telemetry.ts';

const requirePeer = createRequire(new URL('../package.json', import.meta.url));

interface Running {
  /** A peer that wraps clients instead of patching the SDK. */
  readonly wrap?: <T>(client: T) => T;
  /** Flushes pending spans, as at the end of a process. */
  readonly flush?: () => Promise<void>;
}

export interface Peer {
  readonly name: string;
  /** Package whose version the table shows. */
  readonly package?: string;
  readonly openai: 6 | 7;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs before `openai` is loaded. Ended spans are added to `spans`. */
  start(spans: SeenSpan[]): Promise<Running>;
}

const OURS = 'otel-token-meter';

function bare(openai: 6 | 7): Peer {
  return { name: 'bare', openai, start: () => Promise.resolve({}) };
}

/** Without a metrics SDK it creates only spans, like most peers. */
function ours(openai: 6 | 7, metering: 'metrics' | 'no metrics SDK' = 'metrics'): Peer {
  return {
    name: metering === 'metrics' ? OURS : `${OURS}, ${metering}`,
    openai,
    async start(spans) {
      registerTelemetry(spans);
      if (metering !== 'metrics') metrics.disable();
      const { flush, TokenMeterInstrumentation } = await import('otel-token-meter');
      registerInstrumentations({ instrumentations: [new TokenMeterInstrumentation()] });
      return { flush };
    },
  };
}

/** For packages that patch through the module hooks of `@opentelemetry/instrumentation`. */
export function instrumentationOf(packageName: string): Instrumentation {
  const { OpenAIInstrumentation } = requirePeer(packageName) as {
    readonly OpenAIInstrumentation?: new (config: object) => Instrumentation;
  };
  if (OpenAIInstrumentation === undefined)
    throw new Error(`${packageName} has an unexpected shape`);
  const config = packageName.startsWith('@traceloop/') ? { enrichTokens: true } : {};
  return new OpenAIInstrumentation(config);
}

function hooked(name: string, packageName: string, openai: 6 | 7): Peer {
  return {
    name,
    package: packageName,
    openai,
    start(spans) {
      registerTelemetry(spans);
      registerInstrumentations({ instrumentations: [instrumentationOf(packageName)] });
      return Promise.resolve({});
    },
  };
}

const langfuse: Peer = {
  name: 'Langfuse',
  package: '@langfuse/openai',
  openai: 7,
  start(spans) {
    registerTelemetry(spans);
    const { observeOpenAI } = requirePeer('@langfuse/openai') as {
      observeOpenAI: <T>(client: T) => T;
    };
    return Promise.resolve({ wrap: observeOpenAI });
  },
};

const openlit: Peer = {
  name: 'OpenLIT',
  package: 'openlit',
  openai: 7,
  environment: {
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  },
  start(spans) {
    const module = requirePeer('openlit') as { default: { init(options: object): void } };
    module.default.init({ applicationName: 'bench', pricingJson: '{}' });
    // It creates a provider in its own copy of the API and accepts no processor.
    const { trace } = createRequire(requirePeer.resolve('openlit'))('@opentelemetry/api') as {
      trace: {
        getTracerProvider(): {
          getDelegate(): { _activeSpanProcessor: { _spanProcessors: object[] } };
        };
      };
    };
    const provider = trace.getTracerProvider().getDelegate();
    provider._activeSpanProcessor._spanProcessors.push(spanWatcher(spans));
    return Promise.resolve({});
  },
};

const datadog: Peer = {
  name: 'dd-trace LLMObs',
  package: 'dd-trace',
  openai: 7,
  environment: {
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    DD_TRACE_STARTUP_LOGS: 'false',
  },
  async start(spans) {
    process.env['DD_TRACE_AGENT_URL'] = await startFakeAgent(spans);
    const tracer = (
      requirePeer('dd-trace') as {
        init(options: object): {
          use(plugin: string, on: boolean): void;
          llmobs: { flush(): void };
        };
      }
    ).init({ plugins: false, llmobs: { mlApp: 'bench', agentlessEnabled: false } });
    tracer.use('openai', true);
    return {
      flush: async () => {
        tracer.llmobs.flush();
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
    };
  },
};

const sentry: Peer = {
  name: 'Sentry',
  package: '@sentry/node',
  openai: 7,
  flags: ['--import', '@sentry/node/import'],
  start(spans) {
    const Sentry = requirePeer('@sentry/node') as {
      init(options: object): void;
      openAIIntegration(): object;
      getClient(): { on(event: string, listener: (span: object) => void): void };
      spanToJSON(span: object): { attributes: Record<string, unknown> };
    };
    Sentry.init({
      dsn: 'http://key@127.0.0.1:9/1',
      tracesSampleRate: 1,
      defaultIntegrations: false,
      integrations: [Sentry.openAIIntegration()],
      transport: () => ({ send: () => Promise.resolve({}), flush: () => Promise.resolve(true) }),
    });
    Sentry.getClient().on('spanEnd', (span) =>
      spans.push(seenSpan(Sentry.spanToJSON(span).attributes)),
    );
    return Promise.resolve({});
  },
};

/** In table order. The first one of each major is the baseline. */
export const PEERS: readonly Peer[] = [
  bare(7),
  ours(7),
  ours(7, 'no metrics SDK'),
  hooked('OpenInference', '@arizeai/openinference-instrumentation-openai', 7),
  langfuse,
  openlit,
  datadog,
  sentry,
  bare(6),
  ours(6),
  ours(6, 'no metrics SDK'),
  hooked('OTel contrib', '@opentelemetry/instrumentation-openai', 6),
  hooked('Traceloop', '@traceloop/instrumentation-openai', 6),
];

export function versionOf(packageName: string): string {
  const resolved = requirePeer.resolve(packageName).replaceAll('\\', '/');
  const folder = resolved.slice(
    0,
    resolved.lastIndexOf(`/${packageName}/`) + packageName.length + 2,
  );
  return (requirePeer(`${folder}package.json`) as { version: string }).version;
}
