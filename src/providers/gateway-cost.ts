/**
 * US dollars of the header `x-litellm-response-cost`, in which a LiteLLM proxy says what a reply cost,
 * such as `0.00123` or `5.85e-06`. Undefined for anything but a number of at least 0.
 */
export function gatewayCost(header: unknown): number | undefined {
  if (typeof header !== 'string' || !/^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(header))
    return undefined;
  const dollars = Number(header);
  return Number.isFinite(dollars) ? dollars : undefined;
}
