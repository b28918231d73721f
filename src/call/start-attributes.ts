import type { SpanAttributes } from '@opentelemetry/api';
import type { RequestFacts } from '../domain/request-facts.ts';
import { ATTR, ATTR_OPENAI } from '../otel/semconv.ts';
import type { CallStart } from './call-start.ts';

/** Set at creation, so that samplers see them. */
export function startAttributes(start: CallStart, facts: RequestFacts): SpanAttributes {
  const attributes: SpanAttributes = {
    [ATTR.operationName]: start.shape.operation,
    [ATTR.providerName]: start.provider,
  };
  if (facts.model !== undefined) attributes[ATTR.requestModel] = facts.model;
  if (facts.stream === true) attributes[ATTR.requestStream] = true;
  if (start.provider === 'openai' && start.shape.openaiApi !== undefined) {
    attributes[ATTR_OPENAI.apiType] = start.shape.openaiApi;
  }
  if (start.serverAddress !== undefined) attributes[ATTR.serverAddress] = start.serverAddress;
  if (start.serverPort !== undefined) attributes[ATTR.serverPort] = start.serverPort;
  return attributes;
}
