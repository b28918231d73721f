/** Alert rules for Grafana; `build.ts` writes them as provisioning. */

export interface GrafanaAlert {
  readonly uid: string;
  readonly title: string;
  /** InfluxQL with `$timeFilter`; one number per series. */
  readonly query: string;
  readonly windowSeconds: number;
  readonly above: number;
  readonly noData: 'OK' | 'Alerting';
  readonly summary: string;
}

export const alertRules: readonly GrafanaAlert[] = [
  {
    uid: 'llm-cost-day',
    title: 'Cost of the last 24 hours',
    query: 'SELECT sum("cost_usd") FROM "llm_usage" WHERE $timeFilter',
    windowSeconds: 86_400,
    above: 100,
    noData: 'OK',
    summary: 'More than 100 USD were spent in 24 hours.',
  },
  {
    uid: 'llm-user-tokens',
    title: 'Tokens of one user in an hour',
    query: 'SELECT sum("total_tokens") FROM "llm_usage" WHERE $timeFilter GROUP BY "user_id"',
    windowSeconds: 3600,
    above: 1_000_000,
    noData: 'OK',
    summary: 'A user used more than 1,000,000 tokens in an hour.',
  },
  {
    uid: 'llm-errors',
    title: 'Failed calls',
    query: `SELECT sum("calls") FROM "llm_usage" WHERE $timeFilter AND "outcome" = 'error'`,
    windowSeconds: 600,
    above: 20,
    noData: 'OK',
    summary: 'More than 20 calls failed within 10 minutes.',
  },
  {
    uid: 'llm-latency',
    title: 'Latency p95',
    query: 'SELECT percentile("duration_ms", 95) FROM "llm_usage" WHERE $timeFilter',
    windowSeconds: 600,
    above: 30_000,
    noData: 'OK',
    summary: 'The slowest 5 % of the calls take more than 30 s.',
  },
  {
    uid: 'llm-silence',
    title: 'No calls recorded',
    query: 'SELECT sum("calls") FROM "llm_usage" WHERE $timeFilter',
    windowSeconds: 900,
    above: Number.MAX_SAFE_INTEGER,
    noData: 'Alerting',
    summary: 'No call was recorded for 15 minutes. Check whether metering is switched off.',
  },
  {
    uid: 'llm-dropped',
    title: 'Usage records dropped',
    query:
      'SELECT sum("value") FROM "token_meter_exporter_dropped" WHERE $timeFilter GROUP BY "reason"',
    windowSeconds: 900,
    above: 0,
    noData: 'OK',
    summary: 'The exporter dropped records: the ledger is incomplete.',
  },
];

export function alertProvisioning(): object {
  const rules = alertRules.map((rule) => ({
    uid: rule.uid,
    title: rule.title,
    condition: 'C',
    for: '1m',
    noDataState: rule.noData,
    execErrState: 'Error',
    annotations: { summary: rule.summary },
    data: [
      {
        refId: 'A',
        relativeTimeRange: { from: rule.windowSeconds, to: 0 },
        datasourceUid: 'llm-usage',
        model: { refId: 'A', rawQuery: true, query: rule.query, resultFormat: 'time_series' },
      },
      {
        refId: 'B',
        datasourceUid: '__expr__',
        model: { refId: 'B', type: 'reduce', reducer: 'last', expression: 'A' },
      },
      {
        refId: 'C',
        datasourceUid: '__expr__',
        model: {
          refId: 'C',
          type: 'threshold',
          expression: 'B',
          conditions: [{ evaluator: { type: 'gt', params: [rule.above] } }],
        },
      },
    ],
  }));
  return {
    apiVersion: 1,
    groups: [{ orgId: 1, name: 'llm-usage', folder: 'LLM usage', interval: '1m', rules }],
  };
}
