import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { settingsRoutes } from '../../example-app/routes/settings.ts';
import {
  type AuditEntry,
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { type ServedApp, asAdmin, serveApp } from './app.ts';

interface Answer {
  readonly status: number;
  readonly version: number;
  readonly body: string;
}

/**
 * Sends concurrent PATCH requests to three instances of the application on one Redis and checks the
 * responses and the audit log. Returns the duration in seconds.
 */
export async function patchStorm(redisUrl: string, count: number): Promise<number> {
  const services = Array.from({ length: 3 }, () => makeService(redisUrl));
  const apps: ServedApp[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  try {
    await Promise.all(services.map((service) => service.start()));
    for (const settings of services) {
      const options = { settings, changesPerMinute: 1_000_000 };
      apps.push(await serveApp({ routes: settingsRoutes(options) }));
    }
    const begun = performance.now();
    const answers = await Promise.all(
      Array.from({ length: count }, (_, i) => patch(agent, apps[i % 3]!.origin, bodyOf(i))),
    );
    const seconds = (performance.now() - begun) / 1000;
    checkAnswers(answers);
    const entries = await services[0]!.audit(count + 10);
    checkAudit(entries.toReversed(), answers);
    for (const app of apps) assert.deepEqual(app.errors, []);
    return seconds;
  } finally {
    agent.destroy();
    await Promise.all(apps.map((app) => app.close()));
    await Promise.all(services.map((service) => service.close()));
  }
}

function makeService(url: string): SettingsService<MetricsSettings> {
  return new SettingsService({
    schema: metricsSettings,
    store: new RedisSettingsStore({ url }),
    lastKnownGoodPath: false,
  });
}

function bodyOf(i: number): Partial<MetricsSettings> {
  return i % 2 === 0 ? { enabled: i % 4 === 0 } : { token_statistics: i % 4 === 1 };
}

async function patch(agent: Agent, origin: string, body: unknown): Promise<Answer> {
  const headers = { ...asAdmin, 'content-type': 'application/json' };
  return await new Promise((resolve, reject) => {
    const sent = request(
      `${origin}/api/settings/metrics`,
      { method: 'PATCH', agent, headers },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += String(chunk)));
        answer.on('error', reject);
        answer.on('end', () => {
          const version = Number(answer.headers['settings-version']);
          resolve({ status: answer.statusCode ?? 0, version, body: text });
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

function checkAnswers(answers: readonly Answer[]): void {
  const failed = answers.filter(({ status }) => status !== 200);
  assert.deepEqual(failed.slice(0, 3), [], `${failed.length} of ${answers.length} failed`);
  const bodies = new Map<number, string>();
  for (const { version, body } of answers) {
    const known = bodies.get(version) ?? body;
    assert.equal(body, known, `version ${version} was shown with two contents`);
    bodies.set(version, body);
  }
}

/** Oldest first: every version once, each starting from the previous one. */
function checkAudit(entries: readonly AuditEntry[], answers: readonly Answer[]): void {
  const contents = new Map(answers.map(({ version, body }) => [version, body]));
  let document: Record<string, unknown> = { enabled: true, token_statistics: true };
  let expected = 0;
  for (const { version, action, actor, from, to } of entries) {
    expected += 1;
    assert.deepEqual([version, action, actor], [expected, 'change', 'ada']);
    for (const [key, value] of Object.entries(from)) assert.equal(value, document[key]);
    document = { ...document, ...to };
    const shown = contents.get(version);
    assert.ok(shown, `version ${version} was not published`);
    assert.deepEqual(JSON.parse(shown), document, `version ${version}`);
  }
  assert.equal(expected, Math.max(...contents.keys()), 'the log must be complete');
  assert.ok(expected > answers.length / 8, 'most patches changed something');
}
