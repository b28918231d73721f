import { remembered } from '../remembered.ts';

/**
 * `gen_ai.provider.name` of services that are called with the openai SDK, by the last labels of their
 * host. What the conventions have no name for is called as the price list calls it.
 */
const PROVIDERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'openai.azure.com': 'azure.ai.openai',
    'cognitiveservices.azure.com': 'azure.ai.openai',
    'services.ai.azure.com': 'azure.ai.inference',
    'inference.ai.azure.com': 'azure.ai.inference',
    'anthropic.com': 'anthropic',
    'cohere.ai': 'cohere',
    'cohere.com': 'cohere',
    'deepseek.com': 'deepseek',
    'groq.com': 'groq',
    'mistral.ai': 'mistral_ai',
    'moonshot.ai': 'moonshot_ai',
    'moonshot.cn': 'moonshot_ai',
    'perplexity.ai': 'perplexity',
    'together.ai': 'together_ai',
    'together.xyz': 'together_ai',
    'x.ai': 'x_ai',
    'generativelanguage.googleapis.com': 'gcp.gemini',
    'api.aws': 'aws.bedrock',
    'aliyuncs.com': 'alibaba',
    'avian.io': 'avian',
    'baseten.co': 'baseten',
    'bigmodel.cn': 'zhipuai',
    'cerebras.ai': 'cerebras',
    'deepinfra.com': 'deepinfra',
    'fireworks.ai': 'fireworks',
    'huggingface.co': 'huggingface',
    'hyperbolic.xyz': 'hyperbolic',
    'minimax.io': 'minimax',
    'minimaxi.com': 'minimax',
    'models.github.ai': 'github',
    'novita.ai': 'novita',
    'nvidia.com': 'nvidia',
    'openrouter.ai': 'openrouter',
    'ovh.net': 'ovhcloud',
    'sambanova.ai': 'sambanova',
    'siliconflow.cn': 'siliconflow',
    'siliconflow.com': 'siliconflow',
    'volces.com': 'volcengine',
    'z.ai': 'zai',
  }),
);

/** `us-central1-aiplatform.googleapis.com` has its region in the same label. */
const VERTEX = 'aiplatform.googleapis.com';
const OPENAI = 'openai';

/** Own servers and proxies speak OpenAI's language: what they are cannot be told from a host. */
export const providerOfHost: (host: string) => string = remembered((host) => {
  if (host.endsWith(VERTEX)) return 'gcp.vertex_ai';
  for (let rest = host; rest !== ''; rest = parentOf(rest)) {
    const provider = PROVIDERS.get(rest);
    if (provider !== undefined) return provider;
  }
  return OPENAI;
});

function parentOf(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '' : host.slice(dot + 1);
}
