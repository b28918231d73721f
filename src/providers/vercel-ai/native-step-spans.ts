import { trace, type Span } from '@opentelemetry/api';
import { activeContext } from '../../context.ts';

/** The span that the AI SDK or its OpenTelemetry integration has made for the tool that is about to run. */
export function activeToolSpan(): Span | undefined {
  const span = trace.getSpan(activeContext());
  const { name } = (span ?? {}) as { readonly name?: unknown };
  const isOfTool =
    typeof name === 'string' && (name === 'ai.toolCall' || name.startsWith('execute_tool'));
  return isOfTool ? span : undefined;
}

/** Whether the AI SDK's own integration for OpenTelemetry makes a span of each invocation. */
export function hasSpanIntegration(): boolean {
  const { AI_SDK_TELEMETRY_INTEGRATIONS: integrations = [] } = globalThis as {
    readonly AI_SDK_TELEMETRY_INTEGRATIONS?: readonly object[];
  };
  return integrations.some((one) => one.constructor?.name.includes('OpenTelemetry') === true);
}
