import type { AlertRule } from '../alert-rule.ts';
import type { AlertFinding } from './finding.ts';
import { ForecastEvaluator } from './forecast.ts';
import type { Evaluation } from './keyed-rows.ts';
import { SpikeEvaluator } from './spike.ts';
import { evaluateThreshold } from './threshold.ts';

/** Evaluates one rule, each time from the ledger. Rejects as the reader does. */
export interface RuleEvaluator {
  evaluate(evaluation: Evaluation): Promise<readonly AlertFinding[]>;
}

export function ruleEvaluator(rule: AlertRule): RuleEvaluator {
  if (rule.kind === 'forecast') return new ForecastEvaluator(rule);
  if (rule.kind === 'spike') return new SpikeEvaluator(rule);
  return { evaluate: async (evaluation) => await evaluateThreshold(rule, evaluation) };
}
