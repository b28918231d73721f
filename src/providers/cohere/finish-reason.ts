/** A reply that its finish reason reports as failed (`ERROR`, `ERROR_TOXIC`, `TIMEOUT` …). */
export function failureOf(finishReason: string | undefined): string | undefined {
  return /^(?:ERROR|TIMEOUT)/.test(finishReason ?? '') ? finishReason : undefined;
}
