export { BudgetExceededError } from './budgets/budget-exceeded-error.ts';
export { budgetStatus } from './budgets/budgets-in-force.ts';
export { withUsageContext } from './context.ts';
export { deliver, flush, shutdown } from './metering-in-force.ts';
export { TokenMeterError } from './errors.ts';
export { createTokenMeterInstrumentation, TokenMeterInstrumentation } from './instrumentation.ts';
export { deliverAfter } from './manual/deliver-after.ts';
export { meterChat } from './manual/meter-chat.ts';
export { analyseCosts } from './prices/cost-analysis.ts';
export { recordUsage } from './manual/record-usage.ts';
export { withAgent, withTool, withWorkflow } from './manual/with-step.ts';
export type { Budget } from './budgets/budget.ts';
export type { BudgetStatus } from './budgets/budget-status.ts';
export type { BudgetContext } from './budgets/budgets-in-force.ts';
export type { BudgetRefusal } from './domain/call-budgets.ts';
export type { Switches, SwitchValues } from './domain/switches.ts';
export type { UsageContext } from './domain/usage-context.ts';
export type { DeliverOptions } from './metering-in-force.ts';
export type { ErrorCode, ErrorDetails } from './errors.ts';
export type { MeterChatDecorator, MeterChatOptions } from './manual/meter-chat.ts';
export type { RecordUsageInput } from './manual/record-usage.ts';
export type { AgentOptions, ToolOptions, WorkflowOptions } from './manual/with-step.ts';
export type { AgentStep, StepKind } from './domain/agent-step.ts';
export type { Source } from './manual/source.ts';
export type { LiveSettings, TokenMeterOptions } from './options.ts';
export type { CacheSaving, CacheSavings } from './prices/cache-savings.ts';
export type { CostAnalysis, CostAnalysisOptions } from './prices/cost-analysis.ts';
export type { SummedCost } from './prices/cost-sum.ts';
export type { WastedCost } from './prices/wasted-cost.ts';
export type { CostByKind, WhatIf, WhatIfRule } from './prices/what-if.ts';
export type { PriceSource } from './prices/prices.ts';
export type {
  CostSource,
  Outcome,
  TokenSource,
  TokenUsage,
  UsageAttributeValue,
  UsageRecord,
} from './domain/usage-record.ts';
export type { PriceOverrides } from './prices/price-file.ts';
