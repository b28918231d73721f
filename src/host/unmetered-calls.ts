import { warnHost } from './host-warning.ts';
import { requireOfApplication } from './require-here.ts';
import { onOutgoingPost, type OutgoingRequest } from './outgoing-requests.ts';
import { quietly } from './quietly.ts';

/** Calls of models, by the end of their path. */
const MODEL_PATH =
  /\/(?:chat\/completions|fim\/completions|agents\/completions|completions|responses|responses\/compact|embeddings|v1\/messages|v[12]\/(?:chat|embed|generate|rerank)|api\/(?:chat|generate|embed)|interactions|images\/(?:generations|edits|variations)|audio\/(?:transcriptions|translations|speech)|moderations|decisions|classifications|v1\/ocr|v1\/(?:multimodal|contextualized)embeddings|v1\/rerank|conversations)$|:(?:stream)?generateContent$|:(?:batchE|e)mbedContents?$|\/model\/[^/]+\/(?:converse|converse-stream|invoke|invoke-with-response-stream)$/i;

/** Calls that no patch meters, in the words of docs/providers.md. */
const UNSUPPORTED: readonly (readonly [path: RegExp, api: string])[] = [
  [/\/threads\/(?:[^/]+\/)?runs$/, "assistants' runs"],
  [/\/agents\/(?:automations|sessions)(?:\/[^/]+\/(?:events|invocations))?$/, 'hosted agents'],
  [/\/evals\/[^/]+\/runs$|\/graders\/run$|\/evaluation$/, 'evaluations and graders'],
  [/\/v1\/sessions(?:\/[^/]+\/events)?$/, 'Anthropic sessions'],
  [/\/v1\/deployments\/[^/]+\/run$|\/v1\/dreams$/, 'deployments and dreams'],
  [/\/batchPredictionJobs$|:asyncBatchEmbedContent$/, 'batches of Vertex and of embeddings'],
  [/\/videos(?:\/(?:edits|extensions|[^/]+\/remix))?$|:predictLongRunning$/, 'videos'],
  [/\/v1\/(?:classify|embed-jobs)$|\/v2\/(?:batches|audio\/transcriptions)$/, 'other Cohere calls'],
  [/\/queue\/submit$/, 'queued calls of Together'],
  [/\/guardrail-checks\/invoke$|\/guardrail\/[^/]+\/version\/[^/]+\/apply$/, 'guardrails'],
  [
    /\/async-invoke$|\/invoke-with-bidirectional-stream$/,
    'asynchronous and bidirectional Bedrock calls',
  ],
];

/** How an SDK names itself in its headers. */
const SDKS: readonly (readonly [header: RegExp, name: string])[] = [
  [/google-genai-sdk/i, '@google/genai'],
  [/(?:speakeasy-sdk|mistral-client)(?!.*mistralai-(?:azure|gcp))/i, '@mistralai/mistralai'],
  [/x-fern-sdk-name\W+cohere-ai/i, 'cohere-ai'],
  [/ollama-js\//i, 'ollama'],
  [/aws-sdk-js\/.*bedrock.?runtime/i, '@aws-sdk/client-bedrock-runtime'],
  [/x-fern-sdk-name\W+voyageai/i, 'voyageai'],
  [/\bgroq\/js/i, 'groq-sdk'],
  [/\btogether\/js/i, 'together-ai'],
  [/anthropic\w*\/js/i, '@anthropic-ai/sdk'],
  [/openai\/js/i, 'openai'],
  // Minified, the classes that these name themselves by have other names.
  [
    /x-stainless-lang[^]*anthropic-version|anthropic-version[^]*x-stainless-lang/i,
    '@anthropic-ai/sdk',
  ],
  [/x-stainless-lang/i, 'openai'],
];

/** What this room cannot know: the rooms of calls and providers are on higher floors. */
export interface MeteringState {
  /** Metering is on. */
  readonly isMetering: () => boolean;
  /** The call that the current code belongs to, if it is metered or may be. */
  readonly callAround: () => RequestingCall | undefined;
  /** `unknown`: there is no patch for the package. `unseen`: none of its imports was seen. */
  readonly patchStateOf: (packageName: string) => 'unknown' | 'unseen' | 'patched' | 'unfit';
}

/** A call, as the requests sent by the code inside it concern it. */
export interface RequestingCall {
  /** Only of interest to a call that counts if nothing inside it is metered. */
  readonly awaitsRequest: boolean;
  requestSent(): void;
}

const WATCHED = Symbol.for('otel-token-meter.unmetered-watch');

/**
 * Nothing in Node reports that a package was not patched. Its requests do: a metered call marks the
 * Context it sends them in. Warns once an address and cause.
 */
export function watchUnmeteredCalls(state: MeteringState): void {
  const once = globalThis as { [WATCHED]?: true };
  if (once[WATCHED] === true) return;
  once[WATCHED] = true;
  onOutgoingPost(
    () => state.isMetering() && awaitsRequest(state.callAround()),
    (request) =>
      quietly('looking at a request', () => {
        const call = state.callAround();
        if (call === undefined) explain(request, state);
        else if (isModelPath(pathOf(request))) call.requestSent();
      }),
  );
}

function awaitsRequest(call: RequestingCall | undefined): boolean {
  // One of an older copy of this package has no such field.
  return call === undefined || call.awaitsRequest === true;
}

/** Without its query. */
function pathOf({ path }: OutgoingRequest): string {
  return path.split('?', 1)[0] ?? '';
}

/** What no patch meters, if such a request is sent to this path. */
export function unsupportedApi(path: string): string | undefined {
  return UNSUPPORTED.find(([ending]) => ending.test(path))?.[1];
}

/** Whether a request to this path calls a model that some patch meters. */
export function isModelPath(path: string): boolean {
  return MODEL_PATH.test(path);
}

function explain(request: OutgoingRequest, state: MeteringState): void {
  const { origin, headers } = request;
  const plain = pathOf(request);
  const api = unsupportedApi(plain);
  if (api !== undefined) {
    if (sdkOf(headers()) !== undefined) {
      warnHost(
        'TOKEN_METER_UNSUPPORTED_API',
        `${api} are not metered ("Not seen" in docs/providers.md); record them with recordUsage()`,
      );
    }
    return;
  }
  if (!isModelPath(plain)) return;
  const name = sdkOf(headers());
  const patch = name === undefined ? 'unknown' : state.patchStateOf(name);
  const call = `a model call to ${origin}${name === undefined ? '' : `, made with ${name},`}`;
  if (patch === 'unfit') {
    warnHost(
      'TOKEN_METER_UNKNOWN_SHAPE',
      `${call} is not metered: the package has an unknown shape. Wrap the call in meterChat()`,
    );
  } else if (patch === 'unknown') {
    warnHost(
      'TOKEN_METER_UNKNOWN_SDK',
      `${call} is not metered: there is no patch for what makes it. Wrap it in meterChat(), or record ` +
        'it with recordUsage()',
    );
  } else if (patch === 'unseen' && (isPreloaded() || !isInstalled(name ?? ''))) {
    warnHost(
      'TOKEN_METER_BUNDLED_SDK',
      `${call} is not metered: that package is bundled into the application or into another package, ` +
        `where no import can be seen (or an earlier --import has loaded it). In your own bundle pass it explicitly: ` +
        `instrumentation.instrument('${name}', …); otherwise wrap the call in meterChat()`,
    );
  } else {
    warnHost(
      'TOKEN_METER_IMPORTED_EARLIER',
      `${call} is not metered: its SDK was imported before the instrumentation. Start with ` +
        '`node --import otel-token-meter/register`, or create TokenMeterInstrumentation in a file loaded ' +
        `first with --import, or pass the SDK explicitly: instrumentation.instrument('${name}', …)`,
    );
  }
}

function sdkOf(headers: string): string | undefined {
  const provider = /\bai-sdk\/([a-z0-9-]+)/i.exec(headers)?.[1];
  if (provider !== undefined) return `@ai-sdk/${provider}`;
  return SDKS.find(([header]) => header.test(headers))?.[1];
}

/** The preload sees all imports of the application, so what it has not seen is not imported. */
function isPreloaded(): boolean {
  const start = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return start.includes('otel-token-meter/register');
}

/** Whether the application could have imported it. */
function isInstalled(name: string): boolean {
  try {
    requireOfApplication().resolve(name);
    return true;
  } catch (error) {
    // It is there, and has no entry for `require`.
    return (error as { code?: unknown }).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
