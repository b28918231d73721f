import { AppClient, printable } from './app-client.ts';

export type SettingsDocument = Readonly<Record<string, unknown>>;

export interface ReadSettings {
  readonly settings: SettingsDocument;
  readonly version: number;
  readonly staleSince?: string;
}

export interface InstanceVersions {
  /** Of the instance that answered. */
  readonly version: number;
  readonly epoch?: string;
  readonly instances: readonly { readonly version: number; readonly epoch?: string }[];
}

const PATH = '/api/settings/metrics';

/** Client for the settings API of a running application. */
export class SettingsClient extends AppClient {
  async get(): Promise<ReadSettings> {
    return await readSettings(await this.request(PATH));
  }

  /** Throws `SETTINGS_CONFLICT` when the settings are at another version than `ifVersion`. */
  async patch(
    changes: SettingsDocument,
    {
      reason,
      until,
      ifVersion,
    }: { readonly reason?: string; readonly until?: string; readonly ifVersion?: string } = {},
  ): Promise<ReadSettings> {
    const query = new URLSearchParams({
      ...(reason !== undefined && { reason }),
      ...(until !== undefined && { until }),
    });
    const path = query.size === 0 ? PATH : `${PATH}?${query.toString()}`;
    const answer = await this.request(path, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/merge-patch+json',
        ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }),
      },
      body: JSON.stringify(changes),
    });
    return await readSettings(answer);
  }

  /** Version and epoch that each instance applies. */
  async instances(): Promise<InstanceVersions> {
    const answer = await this.request(`${PATH}/instances`);
    return (await answer.json()) as InstanceVersions;
  }

  /** Event stream, starting after `lastEventId`. */
  async events(lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const headers = { ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    return await this.request(`${PATH}/events`, { headers, signal });
  }
}

async function readSettings(answer: Response): Promise<ReadSettings> {
  const staleSince = answer.headers.get('settings-stale-since');
  return {
    settings: (await answer.json()) as SettingsDocument,
    version: Number(answer.headers.get('settings-version')),
    ...(staleSince !== null && { staleSince: printable(staleSince) }),
  };
}
