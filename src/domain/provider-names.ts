/** `gen_ai.provider.name` for what frameworks call their providers. */
const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'amazon-bedrock': 'aws.bedrock',
    amazon_bedrock: 'aws.bedrock',
    bedrock: 'aws.bedrock',
    azure: 'azure.ai.openai',
    'azure-openai': 'azure.ai.openai',
    azure_openai: 'azure.ai.openai',
    google: 'gcp.gemini',
    'google-genai': 'gcp.gemini',
    google_genai: 'gcp.gemini',
    'google.vertex': 'gcp.vertex_ai',
    vertex: 'gcp.vertex_ai',
    google_vertexai: 'gcp.vertex_ai',
    mistral: 'mistral_ai',
    mistralai: 'mistral_ai',
    moonshotai: 'moonshot_ai',
    together: 'together_ai',
    togetherai: 'together_ai',
    voyage: 'voyageai',
    xai: 'x_ai',
  }),
);

/**
 * AI SDK names a provider and its API (`openai.responses`, `google.vertex.chat`), LangChain the provider
 * alone. A name the conventions do not know stays as it is, without the API.
 */
export function providerName(given: string): string {
  const parts = given.toLowerCase().split('.');
  const [first = given] = parts;
  return NAMES.get(parts.slice(0, 2).join('.')) ?? NAMES.get(first) ?? first;
}
