import { hasInfluxql, influxql } from './influxql.ts';
import { type Panel, panels } from './panels.ts';
import { sql } from './sql.ts';

export type Language = 'influxql' | 'sql';

const HEIGHT: Readonly<Record<Panel['type'], number>> = {
  stat: 4,
  timeseries: 8,
  barchart: 8,
  table: 10,
};

function target(panel: Panel, language: Language): object {
  return language === 'influxql'
    ? {
        refId: 'A',
        rawQuery: true,
        query: influxql(panel),
        resultFormat:
          panel.type === 'timeseries' || panel.type === 'stat' ? 'time_series' : 'table',
        alias: panel.by?.length ? panel.by.map((tag) => `$tag_${tag}`).join(' ') + ' $col' : '$col',
      }
    : {
        refId: 'A',
        rawQuery: true,
        rawSql: sql(panel),
        format: panel.type === 'timeseries' ? 'time_series' : 'table',
      };
}

function panelJson(panel: Panel, language: Language, id: number, x: number, y: number): object {
  const custom = panel.stack ? { custom: { fillOpacity: 30, stacking: { mode: 'normal' } } } : {};
  const sorted = panel.limit
    ? [
        { id: 'sortBy', options: { sort: [{ field: panel.measures[0]?.label, desc: true }] } },
        { id: 'limit', options: { limitField: panel.limit } },
      ]
    : [];
  return {
    id,
    title: panel.title,
    type: panel.type,
    datasource: { type: 'influxdb', uid: '${datasource}' },
    gridPos: { x, y, w: panel.width, h: HEIGHT[panel.type] },
    targets: [target(panel, language)],
    fieldConfig: { defaults: { unit: panel.unit, ...custom }, overrides: [] },
    transformations: sorted,
    options: {},
    ...(panel.description && { description: panel.description }),
  };
}

function variable(name: string, label: string, language: Language, tag: string): object {
  const isSql = language === 'sql';
  return {
    name,
    label,
    type: 'query',
    datasource: { type: 'influxdb', uid: '${datasource}' },
    query: isSql
      ? `SELECT DISTINCT "${tag}" FROM "llm_usage" WHERE $__timeFilter(time)`
      : `SHOW TAG VALUES FROM "llm_usage" WITH KEY = "${tag}"`,
    includeAll: true,
    ...(isSql ? {} : { allValue: '.*' }),
    multi: true,
    refresh: 2,
    current: { text: 'All', value: '$__all' },
  };
}

/** Dashboard for provisioning: fixed uid, no `__inputs`. */
export function dashboard(language: Language): object {
  const shown = language === 'sql' ? panels : panels.filter(hasInfluxql);
  const placed: object[] = [];
  let [id, x, y, rowHeight] = [1, 0, 0, 0];
  let row = '';
  for (const panel of shown) {
    if (panel.row !== row) {
      row = panel.row;
      y += rowHeight;
      placed.push({
        id: id++,
        type: 'row',
        title: row,
        gridPos: { x: 0, y, w: 24, h: 1 },
        panels: [],
      });
      [x, y, rowHeight] = [0, y + 1, 0];
    }
    if (x + panel.width > 24) [x, y, rowHeight] = [0, y + rowHeight, 0];
    placed.push(panelJson(panel, language, id++, x, y));
    x += panel.width;
    rowHeight = Math.max(rowHeight, HEIGHT[panel.type]);
  }
  return {
    id: null,
    uid: `llm-usage-${language}`,
    title: language === 'sql' ? 'LLM usage (InfluxDB 3, SQL)' : 'LLM usage',
    tags: ['llm', 'otel-token-meter'],
    schemaVersion: 39,
    time: { from: 'now-24h', to: 'now' },
    refresh: '30s',
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'influxdb' },
        variable('service', 'Service', language, 'service'),
        variable('model', 'Model', language, 'model'),
        ...(language === 'influxql' ? [variable('user', 'User', language, 'user_id')] : []),
      ],
    },
    panels: placed,
  };
}
