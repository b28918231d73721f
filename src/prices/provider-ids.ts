/** Provider ids of the price list that differ from the semantic conventions. */
const LISTED_AS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'azure.ai.openai': 'azure',
    'azure.ai.inference': 'azure',
    'aws.bedrock': 'aws',
    'gcp.gemini': 'google',
    'gcp.gen_ai': 'google',
    'gcp.vertex_ai': 'google',
    mistral_ai: 'mistral',
    x_ai: 'x-ai',
    together_ai: 'together',
    moonshot_ai: 'moonshotai',
  }),
);

/** Other names that people write for ids of the list. */
const ALSO_WRITTEN: ReadonlyMap<string, string> = new Map([
  ['bedrock', 'aws'],
  ['xai', 'x-ai'],
]);

/** Id in the price list of a provider that records have under this name. */
export function listedProvider(recorded: string): string {
  return LISTED_AS.get(recorded) ?? recorded;
}

/** Names that records have for a provider of the list; empty where it is the same name. */
export function recordedProviders(written: string): readonly string[] {
  const id = ALSO_WRITTEN.get(written) ?? written;
  return [...LISTED_AS].filter(([, listed]) => listed === id).map(([recorded]) => recorded);
}
