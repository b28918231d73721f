import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../../src/errors.ts';
import type { AlertRule } from './alert-rule.ts';
import { checkAlertRules } from './check-rules.ts';

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
  if (typeof content !== 'object' || content === null) return fail('has no list "rules"');
  const { rules, ...others } = content as { rules?: unknown };
  if (!Array.isArray(rules)) return fail('has no list "rules"');
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return fail(`has an unknown member ${JSON.stringify(unknown)}`);
  try {
    return checkAlertRules(rules);
  } catch (error) {
    return fail(`is not valid: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
