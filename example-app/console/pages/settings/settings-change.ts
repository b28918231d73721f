import { ApiError, callApi, messageFor, queryOf } from '../../api/client.ts';
import type { CurrentSettings, MetricsSettings } from '../../api/contract.ts';
import { t } from '../../texts.ts';

/**
 * Sends a merge patch based on the displayed version; the reason goes to the audit log. `hours`: how long
 * the change holds; 0 for always.
 */
export async function changeSettings(
  patch: Readonly<Record<string, unknown>>,
  why: string,
  version = 0,
  hours = 0,
): Promise<CurrentSettings> {
  const query = queryOf({
    reason: why === '' ? undefined : why,
    until: hours === 0 ? undefined : new Date(Date.now() + hours * 3_600_000).toISOString(),
  });
  const answer = await callApi(`/api/settings/metrics${query}`, {
    method: 'PATCH',
    body: patch,
    headers: { 'if-match': `"${version}"` },
  });
  return {
    version: Number(answer.headers.get('settings-version')),
    settings: (await answer.json()) as MetricsSettings,
  };
}

export function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 503) return t('settings.storeDown');
  return messageFor(error);
}
