import { diag } from '@opentelemetry/api';

const WARNING_INTERVAL_MS = 60_000;

/** Why a line is not in the store. */
export type DropReason =
  /** The server refused this very line. */
  | 'refused'
  | 'beyond_retention'
  | 'too_large'
  /** The disk bound was reached. */
  | 'spool_full'
  /** Neither disk nor memory could hold it. */
  | 'memory_full'
  /** Too many wait for the SQLite file. */
  | 'queue_full'
  /** A checksum of a segment did not match. */
  | 'spool_corrupt'
  /** Files of the spool were removed. */
  | 'spool_removed'
  /** All calls of their user were erased. */
  | 'erased'
  /** Emitted after shutdown, or not kept anywhere when it came. */
  | 'closed'
  /** No line could be made of it. */
  | 'unwritable';

/** What happened to the lines of one exporter, and the messages about it: one a minute and kind. */
export class ExportCounts {
  readonly dropped: Partial<Record<DropReason, number>> = {};
  readonly cleaned: Record<string, number> = {};
  accepted = 0;
  adopted = 0;
  delivered = 0;
  retries = 0;
  /** Accepted lines that another process delivers. */
  handedOver = 0;
  readonly #name: string;
  readonly #lastReports = new Map<string, { at: number; held: number }>();

  constructor(name: string) {
    this.#name = name;
  }

  drop(reason: DropReason, lines: number, detail?: string): void {
    if (lines === 0) return;
    this.dropped[reason] = (this.dropped[reason] ?? 0) + lines;
    this.#report(`drop ${reason}`, lines, (sum) => {
      return `${sum} record(s) dropped (${reason}${detail === undefined ? '' : `: ${detail}`})`;
    });
  }

  handOver(lines: number): void {
    this.handedOver += lines;
    this.#report('handed over', lines, (sum) => `another process took over ${sum} record(s)`);
  }

  clean(reason: string): void {
    this.cleaned[reason] = (this.cleaned[reason] ?? 0) + 1;
    this.#report(`clean ${reason}`, 1, (sum) => `${sum} value(s) left out or changed (${reason})`);
  }

  /** At most one message a minute and kind. */
  warn(kind: string, message: string): void {
    this.#report(kind, 0, () => message);
  }

  #report(kind: string, count: number, message: (sum: number) => string): void {
    const now = performance.now();
    const last = this.#lastReports.get(kind);
    if (last !== undefined && now - last.at < WARNING_INTERVAL_MS) {
      last.held += count;
      return;
    }
    this.#lastReports.set(kind, { at: now, held: 0 });
    diag.warn(`token-meter ${this.#name}: ${message(count + (last?.held ?? 0))}`);
  }
}
