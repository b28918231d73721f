import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDisabledByName } from '../../config/index.ts';
import { TokenMeterInstrumentation } from '../../instrumentation.ts';
import { installLoaderHook } from '../../host/loader-hook.ts';
import { nodeProblem } from '../../host/node-version.ts';
import { packageVersion } from '../../host/package-version.ts';
import { note, ok, problem, type Finding } from './finding.ts';

type Env = Readonly<Record<string, string | undefined>>;

const HOOKS = {
  sync: 'ES module imports are intercepted in the application thread',
  async:
    'ES module imports are intercepted by a loader thread; Node 22.22.3, 24.11.1 or newer needs none',
  bun: 'imports of installed SDKs are intercepted by a plugin of Bun',
  foreign: 'ES module imports are intercepted by the loader hook on the command line',
  none: 'ES module imports are not intercepted; pass each SDK explicitly: instrumentation.instrument(name, module)',
} as const;

/** Checks Node, its module hooks, and whether a start command preloads this package. */
export function checkHost(cwd: string, env: Env): readonly Finding[] {
  const unfit = nodeProblem();
  const hook = installLoaderHook(TokenMeterInstrumentation.moduleNames);
  return [
    unfit === undefined
      ? ok('node', `${process.version}, otel-token-meter ${packageVersion()}`)
      : problem('node', unfit),
    (hook === 'none' ? problem : ok)('loader hook', HOOKS[hook]),
    ...checkStart(cwd, env),
  ];
}

function checkStart(cwd: string, env: Env): readonly Finding[] {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') {
    return [problem('start', 'OTEL_SDK_DISABLED=true: calls are not metered')];
  }
  if (isDisabledByName(env)) {
    const says = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS names it: the preload meters no calls';
    return [problem('start', says)];
  }
  let scripts = '';
  try {
    const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
      scripts?: Record<string, string>;
    };
    scripts = Object.values(manifest.scripts ?? {}).join('\n');
  } catch {
    return [note('start', `no package.json in ${cwd}: run doctor in the application's folder`)];
  }
  return `${scripts}\n${env['NODE_OPTIONS'] ?? ''}`.includes('otel-token-meter/register')
    ? [ok('start', 'a start command preloads otel-token-meter/register')]
    : [
        note(
          'start',
          'no npm script preloads otel-token-meter: start with `node --import otel-token-meter/register app.js`, or create TokenMeterInstrumentation before the SDKs are imported',
        ),
      ];
}
