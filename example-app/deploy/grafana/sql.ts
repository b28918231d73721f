import type { Measure, Panel } from './panels.ts';

const quoted = (name: string): string => `"${name}"`;

function selected(measure: Measure): string {
  const label = quoted(measure.label);
  switch (measure.kind) {
    case 'sum':
      return `sum(${quoted(measure.field)}) AS ${label}`;
    case 'percentile':
      return `approx_percentile_cont(${quoted(measure.field)}, ${measure.p / 100}) AS ${label}`;
    case 'ratio': {
      // Multiplying by a double avoids integer division.
      const scale = (measure.scale ?? 1).toFixed(1);
      return `${scale} * sum(${quoted(measure.field)}) / nullif(sum(${quoted(measure.per)}), 0) AS ${label}`;
    }
  }
}

/** One SQL query per panel, for InfluxDB 3 (FlightSQL). */
export function sql(panel: Panel): string {
  const isLedger = panel.measurement === 'llm_usage';
  const conditions = [
    '$__timeFilter(time)',
    ...(isLedger ? ['"service" IN (${service:sqlstring})', '"model" IN (${model:sqlstring})'] : []),
    ...Object.entries(panel.where ?? {}).map(([tag, value]) => `${quoted(tag)} = '${value}'`),
    ...(panel.wherePresent === undefined ? [] : [`${quoted(panel.wherePresent)} <> ''`]),
  ];
  const columns = [...(panel.by ?? []), ...(panel.byField ? [panel.byField] : [])].map(quoted);
  const time = panel.type === 'timeseries' ? ['$__dateBin(time) AS time'] : [];
  const groups = [...time, ...columns];
  const select = [...groups, ...panel.measures.map(selected)].join(', ');
  const positions = groups.map((_, i) => i + 1).join(', ');
  const order =
    panel.type === 'timeseries'
      ? ' ORDER BY 1'
      : panel.limit
        ? ` ORDER BY ${quoted(panel.measures[0]?.label ?? '')} DESC LIMIT ${panel.limit}`
        : '';
  const grouping = positions ? ` GROUP BY ${positions}` : '';
  return `SELECT ${select} FROM ${quoted(panel.measurement)} WHERE ${conditions.join(' AND ')}${grouping}${order}`;
}
