import type { CallStart } from '../../../call/call-start.ts';
import type { ChatCall } from '../../../call/chat-call.ts';
import { activeContext, mergeUsage, usageContextOf } from '../../../context.ts';
import type { BudgetRefusal } from '../../../domain/call-budgets.ts';
import type { UsageContext } from '../../../domain/usage-context.ts';
import { fields, objectAt, text } from '../../../tokens/json.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { endsTurn, isGenerated, liveTurn } from './live-turn.ts';

/** After a turn whose tokens were reported before its end, they may come once more, and then count. */
const LATE_USAGE_MS = 1000;

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
  #grace: NodeJS.Timeout | undefined;
  #hasUsage = false;
  #hasCompleted = false;

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
      // A turn may end without a word, after an interruption; tokens of one that is over come too late.
      const isAsked = this.#asked.length > 0;
      if (isEnd ? !hasUsage && !isAsked : !hasUsage || this.#hasCompleted) return;
    }
    this.#settle();
    this.#current ??= this.#asked.shift() ?? this.#start(true);
    this.#hasUsage ||= hasUsage;
    if (generated) this.#current?.event(message);
    else this.#current?.announced(message);
    if (isEnd) this.#complete(hasUsage);
  }

  closed(): void {
    this.#settle();
    for (const call of [this.#current, ...this.#asked]) call?.streamEnded();
    this.#current = undefined;
    this.#asked.length = 0;
  }

  #complete(isReportedWithEnd: boolean): void {
    this.#awaiting = this.#current;
    this.#current = undefined;
    this.#awaiting?.replied();
    if (isReportedWithEnd) this.#settle();
    else if (this.#hasUsage) {
      this.#grace = setTimeout(() => this.#settle(), LATE_USAGE_MS).unref();
    }
    this.#hasUsage = false;
    this.#hasCompleted = true;
  }

  #settle(): void {
    clearTimeout(this.#grace);
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
