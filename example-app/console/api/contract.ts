import type { z } from 'zod';
import type { alertHistory, alertsState } from '../../routes/alerts-wire.ts';
import type { budgetAccounts } from '../../routes/budget-accounts.ts';
import type { ConsoleEntries, ConsoleEntry } from '../../routes/console-entries.ts';
import type { UsageHealth } from '../../routes/dashboard-health.ts';
import type { usageCosts, usageForecast } from '../../routes/usage-costs-schema.ts';
import type {
  usageConversation,
  usageErasure,
  usagePage,
  usageRecord,
  usageRunTree,
  usageSummary,
  usageTable,
} from '../../routes/usage-schemas.ts';
import type { OwnDimension } from '../view/view.ts';
import type {
  auditLog,
  instanceList,
  passingChanges,
  settingsDocument,
  whoAmI,
} from '../../schemas.ts';

/** What the paths answer, by the schemas that the server describes itself with. */
export interface Contract {
  readonly '/api/session': z.output<typeof whoAmI>;
  readonly '/api/usage/summary': Summary;
  readonly '/api/usage/table': UsageTable;
  readonly '/api/usage/records': RecordsPage;
  readonly '/api/usage/costs': z.output<typeof usageCosts>;
  readonly '/api/usage/forecast': Forecast;
  readonly '/api/usage/health': Health;
  readonly '/api/settings/metrics': MetricsSettings;
  readonly '/api/settings/metrics/audit': z.output<typeof auditLog>;
  readonly '/api/settings/metrics/passing': z.output<typeof passingChanges>;
  readonly '/api/settings/metrics/instances': InstanceList;
  readonly '/api/settings/budgets': Readonly<Record<string, Budget>>;
  readonly '/api/budgets/status': z.output<typeof budgetAccounts>;
  readonly '/api/alerts': AlertsState;
  readonly '/api/alerts/history': z.output<typeof alertHistory>;
  readonly '/api/chat/models': { readonly demo: boolean; readonly models: readonly string[] };
}

export type { ConsoleEntries, ConsoleEntry };
type PlainSummary = z.output<typeof usageSummary>;
export interface Summary extends Omit<PlainSummary, 'rows'> {
  readonly rows: readonly Row[];
}
export type Forecast = z.output<typeof usageForecast>;
export type Erasure = z.output<typeof usageErasure>;
/** Values of configured dimensions are under their keys. */
export type Row = PlainSummary['rows'][number] &
  Readonly<Partial<Record<OwnDimension, string | null>>>;
export type Total = Summary['total'];
export type UsageTable = z.output<typeof usageTable>;
export type UsageRecord = z.output<typeof usageRecord>;
export type RecordsPage = z.output<typeof usagePage>;
export type Conversation = z.output<typeof usageConversation>;
export type UsageRunTree = z.output<typeof usageRunTree>;
export type Health = UsageHealth;
export type MetricsSettings = z.output<typeof settingsDocument>;
export type AuditEntry = z.output<typeof auditLog>['entries'][number];
export type InstanceList = z.output<typeof instanceList>;

/** As far as the console shows it. */
export interface Budget {
  readonly scope?: Readonly<Record<string, string | null | readonly (string | null)[]>> & {
    readonly each?: readonly string[];
  };
  readonly window:
    | string
    | { readonly calendar: string; readonly time_zone?: string }
    | { readonly rolling: string };
  readonly limit: Readonly<Record<string, number>>;
  readonly mode?: 'warn' | 'block';
}
export type BudgetAccount = z.output<typeof budgetAccounts>['accounts'][number];
export type AlertsState = z.output<typeof alertsState>;
export type AlertRule = AlertsState['rules'][number];
export type AlertEntry = z.output<typeof alertHistory>['entries'][number];

/** Holds for a time. */
export type PassingChange = z.output<typeof passingChanges>['changes'][number];

/** Sent with the event `settings`. */
export interface CurrentSettings {
  readonly version: number;
  readonly settings: MetricsSettings;
  readonly updated_at?: string;
  readonly updated_by?: string;
  readonly passing?: readonly PassingChange[];
}
