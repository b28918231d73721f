import {
  type AccountsWanted,
  type BudgetJson,
  type BudgetStatus,
  type BudgetsDocument,
  budgetJsonSchema,
  budgetProblem,
} from 'otel-token-meter/budgets';
import { OPEN_NAME, OPEN_NAME_TEXT } from 'otel-token-meter/settings';
import { z } from 'zod';
import { teamsOf } from '../middleware/authentication.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { type budgetAccount, budgetAccounts } from './budget-accounts.ts';
import { type SettingsCollection, collectionRoutes } from './settings-collection.ts';
import type { SettingsRoutesOptions } from './settings-document.ts';

export interface BudgetsRoutesOptions extends SettingsRoutesOptions<BudgetsDocument> {
  /** Accounts of the current windows, most spent first. */
  readonly accounts: (wanted: Partial<AccountsWanted>) => Promise<readonly BudgetStatus[]>;
}

/** A list of a thousand values may be long. */
const BODY_LIMIT_BYTES = 256 * 1024;
/** Each of these asks the store. */
const LOOKS_PER_MINUTE = 300;

/** The names of settings, so that none looks like a member of every object. */
const budgetId = z.string().regex(OPEN_NAME, `must be ${OPEN_NAME_TEXT}`);

const budget = z
  .looseObject({})
  .superRefine((json, context) => {
    const problem = budgetProblem('budget', json);
    if (problem === undefined) return;
    // `budget.scope.user is 5; allowed: …`
    const [, path = '', message = problem] =
      /^budget((?:[.[][^\s.[]+)*) (.*)$/s.exec(problem) ?? [];
    context.addIssue({
      code: 'custom',
      path: path.split(/[.[\]]+/).filter((name) => name !== ''),
      message,
    });
  })
  .meta({ id: 'Budget', override: { ...budgetJsonSchema } });

/** Members of all answers are readable by viewers; one who is limited to teams sees budgets of his teams. */
const budgets: SettingsCollection<BudgetJson> = {
  path: '/api/settings/budgets',
  noun: 'budgets',
  one: 'budget',
  events: { settings: 'budgets', status: 'budgets_status', instances: 'budgets_instances' },
  hasIds: false,
  schema: z.record(budgetId, budget).meta({ id: 'Budgets' }),
  patchSchema: z.record(budgetId, budget.nullable()),
  idSchema: budgetId,
  itemSchema: budget,
  bodyLimitBytes: BODY_LIMIT_BYTES,
  shown(ctx, all) {
    const teams = teamsOf(ctx);
    if (teams === undefined) return all;
    return Object.fromEntries(Object.entries(all).filter(([, json]) => isOf(teams, json)));
  },
  shownEntry(ctx, entry) {
    const teams = teamsOf(ctx);
    if (teams === undefined) return entry;
    const ids = Object.keys(entry.to).filter((id) =>
      [entry.from[id], entry.to[id]].every((json) => json === null || isOf(teams, json)),
    );
    if (ids.length === 0) return undefined;
    const part = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
      Object.fromEntries(ids.map((id) => [id, values[id]]));
    // The reason may name others.
    const { reason: _reason, ...rest } = entry;
    return { ...rest, from: part(entry.from), to: part(entry.to), undo: part(entry.undo) };
  },
};

export function budgetsRoutes(options: BudgetsRoutesOptions): readonly ApiRoute[] {
  const { settings, accounts } = options;
  return [
    ...collectionRoutes(budgets, options),
    apiRoute({
      method: 'get',
      path: '/api/budgets/status',
      summary: 'What is spent of each budget in its present window, most spent first',
      role: 'viewer',
      limit: new RateLimit({ perMinute: LOOKS_PER_MINUTE }),
      query: z.strictObject({
        budget: budgetId.optional().describe('Only of this budget'),
        user: z.string().max(1024).optional().describe('Only accounts of this user'),
        team: z.string().max(1024).optional().describe('Only accounts of this team'),
        limit: z.coerce.number().int().min(1).max(1000).default(100).describe('How many accounts'),
      }),
      answers: {
        200: {
          description: 'Accounts of the whole fleet',
          schema: budgetAccounts,
        },
      },
      async handle(ctx, { query }) {
        const teams = teamsOf(ctx);
        const { budget: id, user, team, limit } = query;
        const isFiltered = [teams, user, team].some((one) => one !== undefined);
        const found = await accounts({
          id,
          limit,
          ...(isFiltered && {
            isWanted: (budgetId, key) =>
              (user === undefined || key['user'] === user) &&
              (team === undefined || key['team'] === team) &&
              (teams === undefined || isAccountOf(teams, settings.get()[budgetId], key)),
          }),
        });
        ctx.set('cache-control', 'no-store');
        ctx.body = { accounts: found.slice(0, limit).map(wire) };
      },
    }),
  ];
}

function wire({ id, resetsAt, ...status }: BudgetStatus): z.output<typeof budgetAccount> {
  return { budget: id, ...status, resets_at: resetsAt };
}

/** Whether a definition is of these teams alone, or of every team and names nobody. */
function isOf(teams: readonly string[], json: unknown): boolean {
  const { scope = {} } = json as BudgetJson;
  if (scope.team !== undefined) return isWithin(teams, scope.team);
  const names = Object.keys(scope).filter((member) => !NAMELESS.has(member));
  return scope.each?.includes('team') === true && names.length === 0;
}

const NAMELESS: ReadonlySet<string> = new Set(['each', 'model', 'provider']);

function isAccountOf(
  teams: readonly string[],
  definition: BudgetJson | undefined,
  key: BudgetStatus['key'],
): boolean {
  if (definition === undefined) return false;
  const { team } = key;
  return team === undefined ? isOf(teams, definition) : team !== null && teams.includes(team);
}

function isWithin(teams: readonly string[], wanted: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  return values.every((value) => typeof value === 'string' && teams.includes(value));
}
