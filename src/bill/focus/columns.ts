import { inUnit, kindName, PRICED_KINDS } from '../../prices/kinds.ts';
import type { Charge } from './charges.ts';

export interface FocusAccount {
  /** Identifier of the account that is billed, which the provider has given. */
  readonly id: string;
  readonly name?: string;
}

type Cell = string | number | undefined;

/** A charge as the columns see it. */
interface FocusCharge extends Charge {
  readonly account: FocusAccount;
  readonly unit: PricingUnit;
}

interface PricingUnit {
  /** Unit of what is consumed, and of what the price is for. */
  readonly consumed: string;
  readonly pricing: string;
  /** Consumed units in one priced unit. */
  readonly per: number;
}

const UNITS: Readonly<Record<string, PricingUnit>> = {
  'per million tokens': { consumed: 'Tokens', pricing: '1000000 Tokens', per: 1e6 },
  'per thousand': { consumed: 'Requests', pricing: '1000 Requests', per: 1000 },
  'per minute': { consumed: 'Seconds', pricing: 'Minutes', per: 60 },
  'per million characters': { consumed: 'Characters', pricing: '1000000 Characters', per: 1e6 },
};
const PER_REQUEST: PricingUnit = { consumed: 'Requests', pricing: 'Requests', per: 1 };

/** Who provides a service, by `gen_ai.provider.name`; others by that name. */
const PROVIDERS: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  'azure.ai.openai': 'Microsoft',
  'azure.ai.inference': 'Microsoft',
  'aws.bedrock': 'AWS',
  'gcp.gemini': 'Google',
  'gcp.gen_ai': 'Google',
  'gcp.vertex_ai': 'Google Cloud',
  mistral_ai: 'Mistral AI',
  cohere: 'Cohere',
  deepseek: 'DeepSeek',
  groq: 'Groq',
  openrouter: 'OpenRouter',
  perplexity: 'Perplexity',
  x_ai: 'xAI',
};

const providerOf = ({ provider }: Charge): string => PROVIDERS[provider] ?? provider;
const dayAfter = (day: string): string => midnight(new Date(Date.parse(day) + 86_400_000));
const midnight = (time: Date): string => `${time.toISOString().slice(0, 10)}T00:00:00Z`;

/**
 * Columns of FOCUS 1.2 (specification tag v1.2): all mandatory ones, the recommended and conditional ones that
 * apply, and our own with the prefix `x_`. An undefined cell is null. Absent are columns of constructs that
 * these providers do not have: commitment discounts, capacity reservations, regions, resources.
 */
const COLUMNS: readonly (readonly [name: string, of: (charge: FocusCharge) => Cell])[] = [
  ['BilledCost', costOf],
  ['BillingAccountId', ({ account }) => account.id],
  ['BillingAccountName', ({ account }) => account.name],
  ['BillingCurrency', () => 'USD'],
  ['BillingPeriodEnd', ({ day }) => monthAfter(day)],
  ['BillingPeriodStart', ({ day }) => `${day.slice(0, 7)}-01T00:00:00Z`],
  ['ChargeCategory', () => 'Usage'],
  // No row corrects a billing period that was invoiced before.
  ['ChargeClass', () => undefined],
  ['ChargeDescription', (charge) => `${charge.meter} of ${charge.model} (${charge.provider})`],
  ['ChargeFrequency', () => 'Usage-Based'],
  ['ChargePeriodEnd', ({ day }) => dayAfter(day)],
  ['ChargePeriodStart', ({ day }) => `${day}T00:00:00Z`],
  ['ConsumedQuantity', ({ quantity }) => decimal(quantity)],
  ['ConsumedUnit', ({ unit }) => unit.consumed],
  ['ContractedCost', (charge) => product(charge, unitPriceOf(charge))],
  ['ContractedUnitPrice', (charge) => decimal(unitPriceOf(charge))],
  ['EffectiveCost', costOf],
  // The ledger knows of no invoice.
  ['InvoiceId', () => undefined],
  ['InvoiceIssuerName', providerOf],
  ['ListCost', (charge) => product(charge, listPriceOf(charge))],
  ['ListUnitPrice', (charge) => decimal(listPriceOf(charge))],
  ['PricingCategory', () => 'Standard'],
  ['PricingQuantity', ({ quantity, unit }) => decimal(quantity / unit.per)],
  ['PricingUnit', ({ unit }) => unit.pricing],
  ['ProviderName', providerOf],
  ['PublisherName', providerOf],
  ['ServiceCategory', () => 'AI and Machine Learning'],
  ['ServiceName', (charge) => `${providerOf(charge)} model API`],
  ['ServiceSubcategory', () => 'Generative AI'],
  ['SkuId', ({ provider, model, meter }) => `${provider}/${model}/${meter}`],
  ['SkuMeter', ({ meter }) => meter],
  ['SkuPriceDetails', () => undefined],
  ['SkuPriceId', skuPriceId],
  ['Tags', ({ tags }) => (Object.keys(tags).length === 0 ? undefined : JSON.stringify(tags))],
  ['x_CostSource', ({ costSource }) => costSource],
  ['x_Model', ({ model }) => model],
  ['x_Service', ({ service }) => service],
  ['x_ServiceTier', ({ tier }) => tier],
];

export const FOCUS_COLUMNS: readonly string[] = COLUMNS.map(([name]) => name);

export function focusCells(charge: Charge, account: FocusAccount): readonly Cell[] {
  const of = { ...charge, account, unit: unitOf(charge) };
  return COLUMNS.map(([, cell]) => cell(of));
}

function unitOf({ meter, unitPrice }: Charge): PricingUnit {
  if (unitPrice === undefined) return PER_REQUEST;
  const kind = PRICED_KINDS.find((known) => kindName(known) === meter);
  const unit = kind === undefined ? 'per thousand' : inUnit(kind, 1).unit;
  return UNITS[unit] ?? PER_REQUEST;
}

function costOf({ cost }: FocusCharge): string {
  return decimal(cost / 1e9);
}

/** US dollars per priced unit. Of a cost alone: what a request cost on average. */
function unitPriceOf({ unitPrice, cost, quantity, unit }: FocusCharge): number {
  return unitPrice === undefined ? cost / 1e9 / quantity : (unitPrice * unit.per) / 1e6;
}

/** The list has no price for some contracts; the specification asks for one, so the contract's is repeated. */
function listPriceOf(charge: FocusCharge): number {
  const { listUnitPrice, unit } = charge;
  return listUnitPrice === undefined ? unitPriceOf(charge) : (listUnitPrice * unit.per) / 1e6;
}

/** Unit price times quantity, as the specification asks for: not rounded to calls, as the billed cost is. */
function product({ quantity, unit }: FocusCharge, price: number): string {
  return decimal((quantity / unit.per) * price);
}

function skuPriceId({ provider, model, meter, tier, listUnitPrice }: FocusCharge): string {
  const price = listUnitPrice === undefined ? '' : `/${decimal(listUnitPrice)}`;
  return `${provider}/${model}/${meter}/${tier ?? 'default'}${price}`;
}

function monthAfter(day: string): string {
  const [year = 0, month = 0] = day.split('-').map(Number);
  return midnight(new Date(Date.UTC(year, month, 1)));
}

/** Without an exponent, which the specification writes in another way than JavaScript. */
function decimal(value: number): string {
  return value
    .toFixed(12)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
