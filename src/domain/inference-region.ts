/**
 * Hosts that process a request in one region, at a price of its own: OpenAI's data residency
 * (`eu.api.openai.com`), and regions and multi-regions of Vertex AI.
 */
const REGIONAL: readonly RegExp[] = [
  /^([a-z]{2})\.api\.openai\.com$/,
  /^([a-z]+-[a-z]+\d+)-aiplatform\.googleapis\.com$/,
  /^aiplatform\.([a-z]+)\.rep\.googleapis\.com$/,
];

/** Record attribute of the region that processed a request, where its price depends on it. */
export const INFERENCE_REGION = 'token_meter.inference_region';

/** Undefined for a host that is of no region, or of any. */
export function regionOfHost(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  for (const pattern of REGIONAL) {
    const region = pattern.exec(host)?.[1];
    if (region !== undefined) return region;
  }
  return undefined;
}
