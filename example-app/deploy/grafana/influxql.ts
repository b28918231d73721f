import type { Measure, Panel } from './panels.ts';

const quoted = (name: string): string => `"${name}"`;

function selected(measure: Measure): string {
  const label = quoted(measure.label);
  switch (measure.kind) {
    case 'sum':
      return `sum(${quoted(measure.field)}) AS ${label}`;
    case 'percentile':
      return `percentile(${quoted(measure.field)}, ${measure.p}) AS ${label}`;
    case 'ratio': {
      const scale = measure.scale === undefined ? '' : ` * ${measure.scale}`;
      return `sum(${quoted(measure.field)}) / sum(${quoted(measure.per)})${scale} AS ${label}`;
    }
  }
}

/** InfluxQL cannot group by fields. */
export const hasInfluxql = (panel: Panel): boolean => panel.byField === undefined;

/**
 * One query per panel, with the variables of the dashboard. `=~ /^$x$/` also matches points without
 * the tag when the variable's "All" is `.*`.
 */
export function influxql(panel: Panel): string {
  const isLedger = panel.measurement === 'llm_usage';
  const conditions = [
    '$timeFilter',
    ...(isLedger
      ? [
          '"service" =~ /^${service:regex}$/',
          '"model" =~ /^${model:regex}$/',
          '"user_id" =~ /^${user:regex}$/',
        ]
      : []),
    ...Object.entries(panel.where ?? {}).map(([tag, value]) => `${quoted(tag)} = '${value}'`),
    ...(panel.wherePresent === undefined ? [] : [`${quoted(panel.wherePresent)} != ''`]),
  ];
  const tags = (panel.by ?? []).map(quoted);
  const groups = panel.type === 'timeseries' ? ['time($__interval)', ...tags] : tags;
  const fill = panel.type === 'timeseries' ? ' fill(null)' : '';
  const grouping = groups.length > 0 ? ` GROUP BY ${groups.join(', ')}${fill}` : '';
  const measures = panel.measures.map(selected).join(', ');
  return `SELECT ${measures} FROM ${quoted(panel.measurement)} WHERE ${conditions.join(' AND ')}${grouping}`;
}
