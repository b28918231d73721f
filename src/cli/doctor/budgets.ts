import { budgetProblem } from '../../budgets/budget-json.ts';
import type { TokenMeterConfig } from '../../config/index.ts';
import { configuredSettingsStore } from '../../settings/stores/configured.ts';
import { messageOf, ok, problem, type Finding } from './finding.ts';

/** Checks the budgets of the settings store; those of the configuration are checked where it is read. */
export async function checkBudgets({
  budgets,
  settings,
}: Pick<TokenMeterConfig, 'budgets' | 'settings'>): Promise<readonly Finding[]> {
  const configured = budgets.length === 0 ? [] : [ok('budgets', `${budgets.length} configured`)];
  if (settings.store === 'memory') return configured;
  const listener = { onTime() {}, onState() {}, onAvailable() {}, onUnavailable() {} };
  const store = configuredSettingsStore(settings, { document: 'budgets' });
  try {
    await store.start(listener);
    const { version, values } = await store.read();
    const ids = Object.keys(values);
    const wrong = ids.flatMap((id) => budgetProblem(id, values[id]) ?? []);
    return [
      ...configured,
      ...wrong.map((text) => problem('budgets', `in the store: ${text}`)),
      ...(ids.length > 0 ? [ok('budgets', `${ids.length} in the store, version ${version}`)] : []),
    ];
  } catch (error) {
    return [...configured, problem('budgets', messageOf(error))];
  } finally {
    await store.stop(listener).catch(() => undefined);
  }
}
