import { stringAt } from '../../tokens/json-shape.ts';
import { patchApiClient } from '../api-client.ts';
import type { CallShape, SdkPatch } from '../provider.ts';
import { MessagesReader } from './messages-reader.ts';
import { messagesCountable, messagesFacts } from './messages-request.ts';

export const messages: CallShape = {
  operation: 'chat',
  request: messagesFacts,
  reader: (options) => new MessagesReader(options),
  countable: messagesCountable,
};

export const anthropic: SdkPatch = {
  moduleName: '@anthropic-ai/sdk',
  testedMajors: [0, 1],
  patch: (moduleExports, meter) =>
    patchApiClient(
      moduleExports,
      {
        exportNames: ['BaseAnthropic', 'Anthropic'],
        provider: () => 'anthropic',
        shape: (path) => (path.endsWith('/v1/messages') ? messages : undefined),
        conversationId: ({ openTelemetry }) => stringAt(openTelemetry, 'conversationId'),
      },
      meter,
    ),
};
