import { parseArgs } from 'node:util';
import { type BudgetJson, budgetProblem } from '../budgets/budget-json.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';
import { APP_HELP, APP_OPTIONS, appAddress } from './app-address.ts';
import { AppClient, printable, warnOfPlainHttp } from './app-client.ts';
import { textTable } from './text-table.ts';

export const summary: string = 'list, set or delete the budgets of a running application';

const HELP = `Usage: otel-token-meter budgets list [options]
       otel-token-meter budgets status [ID] [options]
       otel-token-meter budgets set ID DEFINITION [--reason TEXT] [options]
       otel-token-meter budgets delete ID [--reason TEXT] [options]

list    Prints the definitions in force.
status  Prints what is spent in the present windows, by account.
set     Creates or replaces a budget on all instances. DEFINITION is JSON, or - to read it from stdin:
        '{"scope": {"each": ["user"]}, "window": "day", "limit": {"usd": 3}, "mode": "block"}'
delete  Removes a budget. One of the configuration goes back to what is configured.

${APP_HELP}  --limit N         Most accounts in status (default: 100)
  --reason TEXT     Reason, for the audit log
  --json            Print JSON

Exits with 1 when the application refuses the request or cannot be reached.
`;

const PATH = '/api/settings/budgets';

/** Positional arguments after each action: least and most. */
const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  list: [0, 0],
  status: [0, 1],
  set: [2, 2],
  delete: [1, 1],
};

/** As `/api/budgets/status` has it. */
interface Account {
  readonly budget: string;
  readonly key: Readonly<Record<string, string | null>>;
  readonly unit: string;
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
  readonly resets_at: string;
  readonly blocked: boolean;
  readonly stale: boolean;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...APP_OPTIONS,
      limit: { type: 'string', default: '100' },
      reason: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action = '', ...rest] = positionals;
  const [least, most] = (Object.hasOwn(ARGUMENTS, action) && ARGUMENTS[action]) || [1, 0];
  if (values.help || rest.length < least || rest.length > most) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const client = new AppClient(await appAddress(values, io));
  warnOfPlainHttp(client, io);
  const [id = '', definition = ''] = rest;
  const query = values.reason === undefined ? '' : `?reason=${encodeURIComponent(values.reason)}`;
  const one = `${PATH}/${encodeURIComponent(id)}${query}`;
  if (action === 'list') return await list(client, io, values.json);
  if (action === 'status') {
    const search = new URLSearchParams({ limit: values.limit, ...(id !== '' && { budget: id }) });
    return await status(client, io, search.toString(), values.json);
  }
  if (action === 'set') {
    const json = parsed(definition === '-' ? await textOf(io.stdin) : definition);
    const problem = budgetProblem(id, json);
    if (problem !== undefined) throw new TokenMeterError('INVALID_OPTION', problem);
    const answer = await client.request(one, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    });
    io.stdout.write(`${id} is ${answer.status === 201 ? 'created' : 'in force'}\n`);
    return 0;
  }
  const answer = await client.request(one, { method: 'DELETE' });
  io.stdout.write(answer.status === 204 ? `${id} is deleted\n` : `${id} is as configured again\n`);
  return 0;
}

async function list(client: AppClient, io: CliIo, json: boolean): Promise<number> {
  const answer = await client.request(PATH);
  const budgets = (await answer.json()) as Readonly<Record<string, BudgetJson>>;
  if (json) io.stdout.write(`${JSON.stringify(budgets)}\n`);
  else {
    const rows = Object.entries(budgets).map(
      ([id, { scope = {}, window, limit, mode = 'warn' }]) => [
        id,
        Object.keys(scope).length === 0 ? 'all calls' : printable(JSON.stringify(scope)),
        typeof window === 'string' ? window : JSON.stringify(window),
        Object.entries(limit)
          .map(([unit, amount]) => `${amount} ${unit}`)
          .join(),
        mode,
      ],
    );
    io.stdout.write(textTable(['budget', 'scope', 'window', 'limit', 'mode'], rows));
  }
  return 0;
}

async function status(
  client: AppClient,
  io: CliIo,
  search: string,
  json: boolean,
): Promise<number> {
  const answer = await client.request(`/api/budgets/status?${search}`);
  const { accounts } = (await answer.json()) as { readonly accounts: readonly Account[] };
  if (json) io.stdout.write(`${JSON.stringify(accounts)}\n`);
  else {
    const rows = accounts.map((account) => {
      const { budget, key, unit, limit, spent, reserved, blocked, resets_at: resetsAt } = account;
      const whose = Object.entries(key).map(([name, value]) => `${name} ${value ?? '(none)'}`);
      return [
        budget,
        printable(whose.join(', ')),
        String(spent),
        String(reserved),
        `${limit} ${unit}`,
        `${Math.round((100 * spent) / limit)} %`,
        resetsAt,
        blocked ? 'blocked' : '',
      ];
    });
    const head = ['budget', 'account', 'spent', 'reserved', 'limit', 'used', 'resets', ''];
    io.stdout.write(textTable(head, rows, ['spent', 'reserved', 'used']));
    if (accounts.some(({ stale }) => stale)) {
      io.stderr.write('stale: the store does not answer; this is what one instance knows\n');
    }
  }
  return 0;
}

async function textOf(stdin: CliIo['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) text += String(chunk);
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new TokenMeterError('INVALID_OPTION', 'the definition is not JSON', {
      allowed: 'such as {"window": "month", "limit": {"usd": 100}}',
    });
  }
}
