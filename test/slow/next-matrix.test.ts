import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { routeHandler, SDK_PACKAGES, telemetry, ESM } from '../support/application-programs.ts';
import {
  ALL,
  assertRecords,
  ledgerRecords,
  MATRIX_PACKAGES,
  startProviders,
  type Providers,
} from '../support/application-matrix.ts';
import { documentedApp, REGISTER, type DocumentedApp } from '../support/documented-app.ts';
import { freePort } from '../support/servers.ts';

const LAYOUT = `export default function Layout({ children }: { children: unknown }) {
  return <html><body>{children as never}</body></html>;
}`;
const INSTRUMENTATION = `export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') await import('./telemetry');
}`;
const INSTRUMENT = `
instrumentation.instrument('openai', openaiModule);
instrumentation.instrument('@aws-sdk/client-bedrock-runtime', bedrockModule);
`;
const IMPORTS = `
import * as openaiModule from 'openai';
import * as bedrockModule from '@aws-sdk/client-bedrock-runtime';
`;

/** Files of the application beside those that all have. */
interface Build {
  readonly external: readonly string[];
  readonly telemetry: string;
  readonly route: string;
}

const METER = ['otel-token-meter', '@opentelemetry/sdk-node', '@opentelemetry/api'];
const OWN = telemetry({ ...ESM, extension: '.ts' });

const BUILDS: Readonly<Record<'external' | 'bundled', Build>> = {
  external: {
    external: [...METER, ...SDK_PACKAGES],
    telemetry: `${IMPORTS}${OWN}${INSTRUMENT}`,
    route: routeHandler(''),
  },
  // The chunks of a route have modules of their own, so the route passes its SDKs itself.
  bundled: {
    external: METER,
    telemetry: OWN,
    route: routeHandler(`${IMPORTS}
import { TokenMeterInstrumentation } from 'otel-token-meter';
const instrumentation = new TokenMeterInstrumentation();${INSTRUMENT}`),
  },
};

/** What `next build` makes of a route handler, served by `next start`. */
describe('applications of Next.js', function () {
  this.timeout(900_000);
  let providers: Providers;
  let folder: string;

  before(async () => {
    providers = await startProviders();
    folder = await mkdtemp(join(tmpdir(), 'token-meter-next-'));
  });
  after(async () => {
    await providers?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [name, build] of Object.entries(BUILDS)) {
    describe(name, () => {
      let app: DocumentedApp;
      before(async () => {
        app = await documentedApp([
          ...MATRIX_PACKAGES,
          'next@16',
          'react@19',
          'react-dom@19',
          'typescript@5.9',
          '@types/react@19',
          '@types/node@24',
        ]);
        const files: Readonly<Record<string, string>> = {
          'app/layout.tsx': LAYOUT,
          'app/api/chat/route.ts': build.route,
          'instrumentation.ts': INSTRUMENTATION,
          'telemetry.ts': build.telemetry,
          'next.config.mjs': `export default {
  serverExternalPackages: ${JSON.stringify(build.external)},
  typescript: { ignoreBuildErrors: true },
};`,
        };
        for (const [file, text] of Object.entries(files)) {
          await mkdir(dirname(join(app.folder, file)), { recursive: true });
          await app.write(file, text);
        }
        const built = await app.run('npx', ['next', 'build'], { NEXT_TELEMETRY_DISABLED: '1' });
        assert.equal(built.code, 0, `${built.out}${built.err}`);
      });
      after(() => app?.remove());

      it('instrumentation.ts, with and without the preload', async () => {
        for (const preload of [[], REGISTER]) {
          const place = join(folder, `${name}-${preload.length}`);
          const ledgers = { preload: `${place}-preload.db`, own: `${place}-own.db` };
          providers.play();
          const port = await freePort();
          const url = `http://127.0.0.1:${port}/api/chat`;
          const args = [
            ...preload,
            'node_modules/next/dist/bin/next',
            'start',
            '--hostname',
            '127.0.0.1',
            '--port',
            `${port}`,
          ];
          const env = {
            ...providers.env,
            NEXT_TELEMETRY_DISABLED: '1',
            OWN_LEDGER: ledgers.own,
            TOKEN_METER_PROVIDER: 'sqlite',
            TOKEN_METER_SQLITE_PATH: ledgers.preload,
          };
          let answer: number | undefined;
          const { err } = await app.serve('node', args, env, async ({ out }) => {
            if (!out.includes('Ready')) return false;
            answer ??= (await fetch(url, { method: 'POST' })).status;
            return true;
          });
          assert.equal(answer, 200, err);
          assert.doesNotMatch(err, /Error|TOKEN_METER/);
          assertRecords(await ledgerRecords(ledgers.own), ALL);
          if (preload.length === 0) await assert.rejects(ledgerRecords(ledgers.preload));
          else assertRecords(await ledgerRecords(ledgers.preload), ALL);
        }
      });
    });
  }
});
