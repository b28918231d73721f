import { BUDGET_UNITS, CALENDAR_UNITS } from './budget.ts';

/** The part of JSON Schema used here. */
export interface BudgetJsonSchema {
  readonly [keyword: string]: unknown;
}

const unit = { enum: CALENDAR_UNITS };
const text = { type: 'string', minLength: 1 };

/** A value, or any of several; `null`: calls that have none. */
const wanted = anyOf({ type: ['string', 'null'], minLength: 1 });
/** Of what every call has. */
const present = anyOf(text);

/**
 * JSON Schema (draft 2020-12) of a budget without its id, for `/openapi.json` and the schema of the
 * configuration file. `budgetProblem` says the same and more, in words: that a time zone exists, for one.
 */
export const budgetJsonSchema: BudgetJsonSchema = object(
  {
    scope: {
      description: 'Which calls it is for; members combine. Default: all calls, one account.',
      ...object({
        each: {
          description: 'An account of the full limit for each value or combination of values.',
          type: 'array',
          minItems: 1,
          maxItems: 4,
          uniqueItems: true,
          items: {
            type: 'string',
            pattern: '^(user|team|conversation|model|provider|dimension\\.[a-z][a-z0-9_]{0,31})$',
          },
        },
        user: wanted,
        team: wanted,
        conversation: wanted,
        model: { description: '* stands for any characters: gpt-5*.', ...present },
        provider: present,
        dimensions: {
          type: 'object',
          propertyNames: { pattern: '^[a-z][a-z0-9_]{0,31}$' },
          additionalProperties: wanted,
        },
      }),
    },
    window: {
      description: 'When spending begins again at zero. Calendar windows are in UTC by default.',
      anyOf: [
        unit,
        object({ calendar: unit, time_zone: text }, ['calendar']),
        object({ rolling: { type: 'string', pattern: '^[0-9]{1,6}[mhd]$' } }, ['rolling']),
      ],
    },
    limit: {
      description: 'US dollars, input plus output tokens, or calls.',
      oneOf: BUDGET_UNITS.map((name) => object({ [name]: amountOf(name) }, [name])),
    },
    at: {
      description: 'Shares of the limit that are reported when they are reached.',
      type: 'array',
      maxItems: 10,
      items: { type: 'number', minimum: 0.01, maximum: 10 },
      default: [0.5, 0.8, 1],
    },
    mode: {
      description: 'block refuses calls that the rest of the budget has no room for.',
      enum: ['warn', 'block'],
      default: 'warn',
    },
    when_store_down: {
      description: 'What a blocking budget does without its store, once its share is spent.',
      enum: ['allow', 'block'],
      default: 'allow',
    },
    reserve: {
      description: 'What is set aside for a call until its usage is known.',
      enum: ['max', 'counted', 'none'],
      default: 'max',
    },
  },
  ['window', 'limit'],
);

function object(
  properties: Readonly<Record<string, unknown>>,
  required: readonly string[] = [],
): BudgetJsonSchema {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function anyOf(one: BudgetJsonSchema): BudgetJsonSchema {
  return { anyOf: [one, { type: 'array', minItems: 1, maxItems: 1000, items: one }] };
}

function amountOf(name: (typeof BUDGET_UNITS)[number]): BudgetJsonSchema {
  return name === 'usd'
    ? { type: 'number', minimum: 1e-6, maximum: 9_000_000 }
    : { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
}
