/** `gen_ai.provider.name` of services that are called with the openai SDK, by the last labels of their host. */
const PROVIDERS: readonly (readonly [ending: string, provider: string])[] = [
  ['.openai.azure.com', 'azure.ai.openai'],
  ['.cognitiveservices.azure.com', 'azure.ai.openai'],
  ['.services.ai.azure.com', 'azure.ai.inference'],
  ['.inference.ai.azure.com', 'azure.ai.inference'],
  ['.anthropic.com', 'anthropic'],
  ['.cohere.ai', 'cohere'],
  ['.cohere.com', 'cohere'],
  ['.deepseek.com', 'deepseek'],
  ['.groq.com', 'groq'],
  ['.mistral.ai', 'mistral_ai'],
  ['.moonshot.ai', 'moonshot_ai'],
  ['.perplexity.ai', 'perplexity'],
  ['.together.ai', 'together_ai'],
  ['.together.xyz', 'together_ai'],
  ['.x.ai', 'x_ai'],
  ['.generativelanguage.googleapis.com', 'gcp.gemini'],
  ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['.api.aws', 'aws.bedrock'],
  ['.openrouter.ai', 'openrouter'],
];

const OPENAI = 'openai';

/** Own servers and proxies speak OpenAI's language: what they are cannot be told from a host. */
export function providerOfHost(host: string): string {
  return PROVIDERS.find(([ending]) => `.${host}`.endsWith(ending))?.[1] ?? OPENAI;
}
