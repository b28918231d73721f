// A server in the middle of a stream of every SDK that the conformance suite drives.
import { createRequire } from 'node:module';
import { withUsageContext } from 'otel-token-meter';
import { currentCallMeter } from '../../../src/metering-in-force.ts';
import { everyProvider } from '../../support/every-provider.ts';
import { startWireServer, type Script } from '../../support/wire/wire-server.ts';

if (process.argv[2] === 'signal-exit') {
  createRequire(import.meta.url)('signal-exit').onExit(() => undefined);
}

const HOURS_MS = 10 * 3_600_000;

/** All but the end at once; what would close the reply never comes. */
function open({ pieces = [], ...script }: Script): Script {
  const begun = Buffer.concat(pieces.slice(0, -2).map((piece) => Buffer.from(piece as string)));
  return { ...script, pieces: [begun], pauseMs: HOURS_MS };
}

const sdks = await everyProvider();
const kept: unknown[] = [];
// One after the other: each makes copies of modules that others may share.
for (const sdk of sdks) {
  const module = await sdk.load();
  if (sdk.patch.patch(module, currentCallMeter) === 'unfit') throw new Error(sdk.title);
  const server = await startWireServer(sdk.protocol);
  server.play(open(sdk.wire.stream));
  const client = sdk.client(module, server.url);
  await withUsageContext({ userId: sdk.title }, async () => {
    const iterator = (await sdk.stream(client))[Symbol.asyncIterator]();
    // In every format the third event is within the text.
    for (let chunks = 0; chunks < 3; chunks += 1) await iterator.next();
    kept.push(iterator, server);
  });
}
console.log(JSON.stringify(sdks.map(({ title }) => title)));
console.log(`ready ${kept.length}`);
