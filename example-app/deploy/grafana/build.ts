/**
 * Generates the provisioned files from the panel list and the alert rules: `node
 * example-app/deploy/grafana/build.ts`. JSON is YAML, so alert rules are written as JSON too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { alertProvisioning } from './alert-rules.ts';
import { dashboard } from './dashboard.ts';

/** Path relative to this folder → content. */
export const generated: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['dashboards/llm-usage.influxql.json', dashboard('influxql')] as const,
    ['dashboards/llm-usage.sql.json', dashboard('sql')] as const,
    // In provisioning files $ starts an environment variable unless doubled; dashboards are read
    // verbatim.
    ['provisioning/alerting/llm-usage.yaml', alertProvisioning()] as const,
  ].map(([path, content]) => {
    const json = `${JSON.stringify(content, null, 2)}\n`;
    return [path, path.startsWith('provisioning/') ? json.replaceAll('$', '$$$$') : json];
  }),
);

if (import.meta.main) {
  for (const [path, content] of Object.entries(generated)) {
    const file = new URL(path, import.meta.url);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, content);
  }
}
