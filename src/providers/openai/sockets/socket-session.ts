import type { ChatCall } from '../../../call/chat-call.ts';
import type { JsonObject } from '../../../tokens/json.ts';

/** What is asked and answered over one socket. */
export interface SocketSession {
  /** Starts the call that an event asks for, which a budget may refuse. Undefined while metering is off. */
  asked(event: JsonObject): ChatCall | undefined;
  /** The event has been sent: the server is to reply. Without `call` the reply is not recorded. */
  sent(event: JsonObject, call: ChatCall | undefined): void;
  received(event: JsonObject): void;
  /** No more replies to what was sent. */
  closed(): void;
}
