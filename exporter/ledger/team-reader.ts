import type {
  UsageConversation,
  UsageFilter,
  UsagePage,
  UsageQuery,
  UsageReader,
  UsageRecordsQuery,
  UsageSummary,
} from './usage-query.ts';

const MAX_CONVERSATION_RECORDS = 1000;
/** Ledgers hold the years up to 2262. */
const END = new Date('2262-01-01');

/**
 * A reader that knows the calls of some teams only: every question of it has them as a filter, so that
 * no answer depends on a call of another team or of none. With no team it knows no call. Closing it
 * leaves `reader` open.
 */
export function usageReaderOfTeams(reader: UsageReader, teams: readonly string[]): UsageReader {
  return new TeamUsageReader(reader, teams);
}

class TeamUsageReader implements UsageReader {
  readonly #reader: UsageReader;
  readonly #teams: readonly string[];

  constructor(reader: UsageReader, teams: readonly string[]) {
    this.#reader = reader;
    // A store may take an empty name for calls without a team.
    this.#teams = teams.filter((team) => typeof team === 'string' && team !== '');
  }

  async summary(query: UsageQuery): Promise<UsageSummary> {
    return await this.#reader.summary({ ...query, filter: this.#ownPart(query.filter) });
  }

  async records(query: UsageRecordsQuery = {}): Promise<UsagePage> {
    return await this.#reader.records({ ...query, filter: this.#ownPart(query.filter) });
  }

  /** Calls of other teams may have the same id. */
  async conversation(
    id: string,
    options: { readonly askedBy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<UsageConversation> {
    const asked = { ...options, filter: { conversation: id } };
    const page = await this.records({ ...asked, limit: MAX_CONVERSATION_RECORDS });
    const range = { from: new Date(0), to: END, percentiles: true };
    const { total } = await this.summary({ ...asked, ...range });
    return {
      id,
      records: page.records.toReversed(),
      truncated: page.cursor !== undefined,
      ...(total.calls > 0 && { total }),
    };
  }

  async close(): Promise<void> {
    return await Promise.resolve();
  }

  /** Teams that are asked for and are not among the own ones are left out, and so are calls of none. */
  #ownPart(filter: UsageFilter = {}): UsageFilter {
    const { team } = filter;
    if (team === undefined) return { ...filter, team: this.#teams };
    const asked: readonly unknown[] = [team].flat();
    return { ...filter, team: this.#teams.filter((one) => asked.includes(one)) };
  }
}
