import { TokenMeterError } from '../errors.ts';
import { type AppClient, printable } from './app-client.ts';
import type { CliIo } from './io.ts';
import { shownCost, shownCount, shownName } from './shown-number.ts';
import { textTable } from './text-table.ts';

export interface AlertsClient {
  readonly app: AppClient;
  readonly io: CliIo;
  readonly json: boolean;
  readonly minutes?: number;
  readonly note?: string;
}

/** The part of `GET /api/alerts` that is printed. */
interface AlertsDocument {
  readonly rules: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly muted?: { readonly until: string; readonly by: string };
  }[];
  readonly active: readonly {
    readonly id: string;
    readonly rule: string;
    readonly level: string;
    readonly metric: string;
    readonly key: string | null;
    readonly value?: number;
    readonly at_least?: true;
    readonly threshold?: number;
    readonly since: string;
    readonly acknowledged?: { readonly by: string };
  }[];
  readonly channels: readonly { readonly name: string; readonly delivered: number }[];
  readonly undelivered: number;
}

const PATH = '/api/alerts';

async function read({ app }: AlertsClient): Promise<AlertsDocument> {
  return (await (await app.request(PATH)).json()) as AlertsDocument;
}

export async function alertsList(client: AlertsClient): Promise<number> {
  const { io, json } = client;
  const document = await read(client);
  if (json) {
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  }
  const { rules, active, channels, undelivered } = document;
  if (rules.length === 0) io.stdout.write('The application has no alert rules.\n');
  else {
    const rows = rules.map(({ name, kind, muted }) => [
      shownName(name),
      kind,
      muted ? `muted until ${muted.until} by ${shownName(muted.by)}` : '',
    ]);
    io.stdout.write(`${textTable(['rule', 'kind', ''], rows)}\n`);
  }
  if (active.length === 0) io.stdout.write('No alert is active.\n');
  else {
    const rows = active.map((alert) => [
      alert.id,
      alert.level,
      shownName(alert.rule),
      shownName(alert.key, ''),
      `${alert.at_least ? '≥ ' : ''}${amount(alert.metric, alert.value)}`,
      amount(alert.metric, alert.threshold),
      alert.since,
      alert.acknowledged ? `by ${shownName(alert.acknowledged.by)}` : '',
    ]);
    const head = ['id', 'level', 'rule', 'of', 'value', 'threshold', 'since', 'acknowledged'];
    io.stdout.write(textTable(head, rows, ['value', 'threshold']));
  }
  const names = channels.map(({ name, delivered }) => `${name} (${delivered} delivered)`);
  io.stderr.write(`channels: ${names.join(', ') || 'none'}; undelivered: ${undelivered}\n`);
  return 0;
}

export async function mute(client: AlertsClient, name: string): Promise<number> {
  const { app, io, minutes, note } = client;
  const id = await ruleOf(client, name);
  const answer = await app.request(`${PATH}/${id}/mute`, postOf({ minutes, note }));
  const { until } = (await answer.json()) as { until: string };
  io.stdout.write(`${shownName(name)} is muted until ${printable(until)}\n`);
  return 0;
}

export async function unmute(client: AlertsClient, name: string): Promise<number> {
  const id = await ruleOf(client, name);
  await client.app.request(`${PATH}/${id}/mute`, { method: 'DELETE' });
  client.io.stdout.write(`${shownName(name)} is not muted\n`);
  return 0;
}

export async function acknowledge(client: AlertsClient, id: string): Promise<number> {
  const { app, io, note } = client;
  await app.request(`${PATH}/${encodeURIComponent(id)}/acknowledge`, postOf({ note }));
  io.stdout.write(`${shownName(id)} is acknowledged\n`);
  return 0;
}

/** Slower than other requests: each channel has ten seconds, and PagerDuty gets two messages. */
const TEST_LIMIT_MS = 40_000;

export async function testChannels({ app, io, json }: AlertsClient): Promise<number> {
  const init = { method: 'POST', signal: AbortSignal.timeout(TEST_LIMIT_MS) };
  const document = (await (await app.request(`${PATH}/test`, init)).json()) as {
    channels: { name: string; result: string; detail: string; answer?: string }[];
  };
  const { channels } = document;
  if (json) io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  else if (channels.length === 0) io.stdout.write('The application has no alert channels.\n');
  else {
    const rows = channels.map(({ name, result, detail, answer = '' }) => [
      name,
      result === 'delivered' ? 'delivered' : 'not delivered',
      printable(detail),
      printable(answer),
    ]);
    io.stdout.write(textTable(['channel', 'result', 'reply', ''], rows));
  }
  return channels.every(({ result }) => result === 'delivered') ? 0 : 1;
}

/** The id of a rule by its name, or of an id itself. */
async function ruleOf(client: AlertsClient, name: string): Promise<string> {
  const { rules, active } = await read(client);
  const rule = rules.find((each) => each.name === name || each.id === name);
  if (rule !== undefined) return rule.id;
  if (active.some(({ id }) => id === name)) return name;
  throw new TokenMeterError('INVALID_OPTION', 'there is no such rule', {
    value: name,
    allowed: rules.map((each) => each.name).join(', ') || 'none: the application has no rules',
  });
}

function postOf(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

function amount(metric: string, value: number | undefined): string {
  return metric === 'costUsd' ? shownCost(value) : shownCount(value);
}
