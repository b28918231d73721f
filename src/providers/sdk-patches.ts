import { anthropic, anthropicPlatforms } from './anthropic/index.ts';
import { bedrock } from './bedrock/index.ts';
import { claudeAgent } from './claude-agent/index.ts';
import { cohere } from './cohere/index.ts';
import { google } from './google/index.ts';
import { googleAdk } from './google-adk/index.ts';
import { groq } from './groq/index.ts';
import { langchain } from './langchain/index.ts';
import { llamaindex } from './llamaindex/index.ts';
import { langchainTools, langgraph } from './langgraph/index.ts';
import { mastra } from './mastra/index.ts';
import { mcp } from './mcp/index.ts';
import { mistral } from './mistral/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openaiAgents } from './openai-agents/index.ts';
import type { SdkPatch } from './sdk-patch.ts';
import { strands } from './strands/index.ts';
import { together } from './together/index.ts';
import { vercelAi } from './vercel-ai/index.ts';
import { vercelAiProviders } from './vercel-ai/provider-packages.ts';
import { voyage } from './voyage/index.ts';

/** Every SDK that is metered without a word in the application. */
export const sdkPatches: readonly SdkPatch[] = [
  openai,
  anthropic,
  ...anthropicPlatforms,
  google,
  mistral,
  cohere,
  ollama,
  groq,
  together,
  bedrock,
  vercelAi,
  ...vercelAiProviders,
  ...langchain,
  langchainTools,
  langgraph,
  ...openaiAgents,
  voyage,
  mastra,
  claudeAgent,
  googleAdk,
  llamaindex,
  strands,
  mcp,
];
