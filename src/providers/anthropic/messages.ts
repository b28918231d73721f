import type { CallShape } from '../../domain/call-shape.ts';
import { MessagesReader } from './messages-reader.ts';
import { messagesCountable, messagesFacts } from './messages-request.ts';

/** The Messages API. */
export const messages: CallShape = {
  operation: 'chat',
  request: messagesFacts,
  reader: (options) => new MessagesReader(options),
  countable: messagesCountable,
};
