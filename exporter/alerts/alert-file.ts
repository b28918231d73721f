import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../../src/errors.ts';
import { type AlertRule, checkAlertRules } from './alert-rule.ts';

const MEMBERS: ReadonlySet<string> = new Set<keyof AlertRule>([
  'name',
  'metric',
  'by',
  'filter',
  'windowMs',
  'warning',
  'alert',
  'whenNoData',
]);

/**
 * The rules of a JSON file, `{ "rules": [ … ] }`, each as `AlertRule` has it. Rejects with
 * `INVALID_CONFIG` for a file that cannot be read or a rule that is wrong.
 */
export async function readAlertRules(path: string): Promise<readonly AlertRule[]> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new TokenMeterError('INVALID_CONFIG', `alert rules: ${path} ${problem}`, {
      value: path,
      allowed: 'a JSON file with a list "rules"',
      cause,
    });
  };
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    return fail('cannot be read as JSON', cause);
  }
  const rules = (content as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) return fail('has no list "rules"');
  for (const [index, rule] of rules.entries()) {
    if (typeof rule !== 'object' || rule === null) return fail(`rules[${index}] is no object`);
    const unknown = Object.keys(rule as object).find((key) => !MEMBERS.has(key));
    // A threshold under a misspelt name would never be reached.
    if (unknown !== undefined) return fail(`rules[${index}].${unknown} is not known`);
  }
  try {
    checkAlertRules(rules as AlertRule[]);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), error);
  }
  return rules as AlertRule[];
}
