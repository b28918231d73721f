/** Progress line: updated in place in a terminal, otherwise printed occasionally. */
export class ReplayProgress {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;
  readonly #startedAt = Date.now();
  #drawnAt = 0;

  constructor(stream: NodeJS.WriteStream, total: number) {
    this.#stream = stream;
    this.#total = total;
  }

  update(done: number, tokens: number): void {
    const tty = this.#stream.isTTY;
    const now = Date.now();
    const last = done === this.#total;
    if (!last && now - this.#drawnAt < (tty ? 100 : 5000)) return;
    this.#drawnAt = now;
    const share = this.#total === 0 ? 1 : done / this.#total;
    const seconds = Math.max((now - this.#startedAt) / 1000, 0.001);
    const left = done === 0 ? undefined : Math.ceil((seconds / done) * (this.#total - done));
    const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░');
    const text =
      `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${done}/${this.#total} calls  ` +
      `${Math.round(done / seconds)}/s  ${tokens.toLocaleString('en')} tokens` +
      (left === undefined || last ? '' : `  ${left} s left`);
    this.#stream.write(tty ? `\r${text}\u001B[K${last ? '\n' : ''}` : `${text}\n`);
  }
}
