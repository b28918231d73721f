import { signal } from '@preact/signals';
import { callApi } from './client.ts';
import type { ConsoleEntries, ConsoleEntry } from './contract.ts';

/** Annotations and saved views, as the event stream brings them. */
export const entries = signal<ConsoleEntries>({});

const pathOf = (id: string): string => `/api/settings/console/${encodeURIComponent(id)}`;

type Kind = ConsoleEntry['kind'];
export type Identified<K extends Kind> = Extract<ConsoleEntry, { readonly kind: K }> & {
  readonly id: string;
};

/** Those of one kind. */
export function entriesOf<K extends Kind>(kind: K): readonly Identified<K>[] {
  return Object.entries(entries.value)
    .filter(([, entry]) => entry.kind === kind)
    .map(([id, entry]) => ({ ...entry, id }) as unknown as Identified<K>);
}

export async function addEntry(entry: ConsoleEntry): Promise<void> {
  const id = `${entry.kind}-${Date.now().toString(36)}`;
  await callApi(pathOf(id), { method: 'PUT', body: entry, headers: { 'if-none-match': '*' } });
  entries.value = { ...entries.value, [id]: entry };
}

export async function removeEntry(id: string): Promise<void> {
  await callApi(pathOf(id), { method: 'DELETE' });
  const { [id]: _removed, ...rest } = entries.value;
  entries.value = rest;
}
