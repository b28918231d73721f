import type { CallStart } from '../../../call/call-start.ts';
import type { ChatCall } from '../../../call/chat-call.ts';
import { activeContext, mergeUsage, usageContextOf } from '../../../context.ts';
import type { BudgetRefusal } from '../../../domain/call-budgets.ts';
import type { UsageContext } from '../../../domain/usage-context.ts';
import { fields, objectAt, text } from '../../../tokens/json.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { endsTurn, isGenerated, liveTurn } from './live-turn.ts';

/** Where a session leads to. */
type LiveSource = Pick<CallStart, 'provider' | 'serverAddress' | 'serverPort'>;

/**
 * A live session: each turn of the model is a call, and so is what it generates before it calls a tool. The
 * server reports the tokens of each (tried by others with the models of 2026-08: not those of the session so
 * far), in the message that ends it, before, or in one that follows.
 */
export class LiveSession {
  readonly #meter: CurrentMeter;
  readonly #source: LiveSource;
  readonly #model: unknown;
  /** Of the code that opened the session, whose Context its messages come in. */
  #usage: UsageContext;
  /** Asked for, and not begun. */
  readonly #asked: ChatCall[] = [];
  #current: ChatCall | undefined;
  /** Complete but for its tokens. */
  #awaiting: ChatCall | undefined;
  #hasUsage = false;

  constructor(meter: CurrentMeter, source: LiveSource, model: unknown) {
    this.#meter = meter;
    this.#source = source;
    this.#model = model;
    this.#usage = usageContextOf(activeContext());
  }

  /** The client has sent a whole turn. */
  asked(): BudgetRefusal | undefined {
    const call = this.#start(false);
    if (call !== undefined && call.refusal === undefined) this.#asked.push(call);
    return call?.refusal;
  }

  /** The turn that was asked for last was not sent. */
  unsent(error: unknown): void {
    this.#asked.pop()?.failed(error);
  }

  received(message: unknown): void {
    const session = text(objectAt(message, 'setupComplete')?.['sessionId']);
    if (session !== undefined) this.#usage = mergeUsage({ conversationId: session }, this.#usage);
    const generated = isGenerated(message);
    const isEnd = endsTurn(message);
    const hasUsage = fields(message)['usageMetadata'] !== undefined;
    if (!generated && this.#current === undefined) {
      if (this.#awaiting !== undefined) {
        this.#awaiting.announced(message);
        if (hasUsage) this.#settle();
        return;
      }
      // A turn may end without a word, after an interruption.
      if (!hasUsage && !(isEnd && this.#asked.length > 0)) return;
    }
    this.#settle();
    this.#current ??= this.#asked.shift() ?? this.#start(true);
    this.#hasUsage ||= hasUsage;
    if (generated) this.#current?.event(message);
    else this.#current?.announced(message);
    if (isEnd) this.#complete();
  }

  closed(): void {
    this.#settle();
    for (const call of [this.#current, ...this.#asked]) call?.streamEnded();
    this.#current = undefined;
    this.#asked.length = 0;
  }

  #complete(): void {
    this.#awaiting = this.#current;
    this.#current = undefined;
    if (this.#hasUsage) this.#settle();
    this.#hasUsage = false;
  }

  #settle(): void {
    this.#awaiting?.streamEnded(true);
    this.#awaiting = undefined;
  }

  #start(isUnderway: boolean): ChatCall | undefined {
    return this.#meter()?.start({
      ...this.#source,
      shape: liveTurn,
      request: { model: this.#model },
      isUnderway,
      ambient: mergeUsage(this.#usage, usageContextOf(activeContext())),
    });
  }
}
