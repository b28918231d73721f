import type { ProviderUnderTest, Shape } from './provider-under-test.ts';

/** The rows of `promises`, each under the name of its promise, and those of A8, which every SDK can show. */
export function promisedShapes<Client>(sdk: ProviderUnderTest<Client>): {
  readonly shapes: readonly Shape<Client>[];
  readonly cannot: readonly string[];
} {
  const shapes: Shape<Client>[] = [...streamShapes(sdk)];
  const cannot: string[] = [];
  const rows = {
    'A6, pending': sdk.promises.pending,
    'A6, failed': sdk.promises.failed,
    'A7, cannot be counted': sdk.promises.hidden,
  };
  for (const [row, shown] of Object.entries(rows)) {
    if (typeof shown === 'string') cannot.push(`${row}: ${shown}`);
    else for (const shape of shown) shapes.push({ ...shape, title: `${row}: ${shape.title}` });
  }
  return { shapes, cannot };
}

function streamShapes<Client>(sdk: ProviderUnderTest<Client>): readonly Shape<Client>[] {
  const whole = { ...sdk.expected.stream, outcome: 'ok', tokenSource: 'provider' } as const;
  const row = (title: string, run: Shape<Client>['run']): Shape<Client> => ({
    title: `A8, streams: ${title}`,
    script: sdk.wire.stream,
    expected: whole,
    run,
  });
  return [
    row('two readers of one iterator, in turns', async (client) => {
      const iterator = (await sdk.stream(client))[Symbol.asyncIterator]();
      const same = { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
      let seen = 0;
      for await (const _chunk of same) if ((seen += 1) === 2) break;
      for await (const _chunk of same) seen += 1;
      return seen;
    }),
    row('asked again after its end', async (client) => {
      const iterator = (await sdk.stream(client))[Symbol.asyncIterator]();
      while ((await iterator.next()).done !== true);
      return [await iterator.next(), await iterator.return?.(), await iterator.next()];
    }),
    row('frozen by its caller', async (client) => {
      const stream = Object.freeze(await sdk.stream(client));
      let seen = 0;
      for await (const _chunk of stream) seen += 1;
      return seen;
    }),
  ];
}
