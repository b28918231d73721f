/** Where and how the tables are made. */
export interface ClickHouseLayout {
  readonly database: string;
  /** Every statement runs on all servers of this cluster. */
  readonly cluster?: string | undefined;
  /** Tables are replicated, by the default path of the server. */
  readonly replicated?: boolean | undefined;
  /** `llm_usage` is a distributed table over `llm_usage_local` of each shard. Needs `cluster`. */
  readonly distributed?: boolean | undefined;
  /** Calls are deleted after so many days; roll-ups stay. 0: kept for ever. Absent: as it is. */
  readonly retentionDays?: number | undefined;
}

/** Names and clauses of one layout. */
export class Names {
  readonly #layout: ClickHouseLayout;

  constructor(layout: ClickHouseLayout) {
    this.#layout = layout;
  }

  get onCluster(): string {
    const { cluster } = this.#layout;
    return cluster === undefined ? '' : ` ON CLUSTER ${quoted(cluster)}`;
  }

  get database(): string {
    return this.#layout.database;
  }

  get isDistributed(): boolean {
    return this.#layout.distributed === true;
  }

  /** Tells the cells of one shard from those of another. */
  get shard(): string {
    return this.isDistributed ? "getMacro('shard')" : "''";
  }

  table(name: string): string {
    return `${quoted(this.#layout.database)}.${name}`;
  }

  /** The table that holds the rows of this server. */
  local(name: string): string {
    return this.table(this.isDistributed ? `${name}_local` : name);
  }

  /** `kind`: `ReplacingMergeTree`, with its parameters. */
  engine(kind: string, parameters: string): string {
    return `${this.#layout.replicated === true ? 'Replicated' : ''}${kind}(${parameters})`;
  }

  distributedEngine(name: string, shardingKey: string): string {
    const { cluster = '', database } = this.#layout;
    return `Distributed(${literal(cluster)}, ${literal(database)}, ${literal(`${name}_local`)}, ${shardingKey})`;
  }
}

export const quoted = (name: string): string => `\`${name.replaceAll(/[`\\]/g, String.raw`\$&`)}\``;
/** A text in a statement. */
export const literal = (value: string): string =>
  `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
