import assert from 'node:assert/strict';
import { providerName } from '../../src/domain/provider-names.ts';

const NAMES = {
  'openai.responses': 'openai',
  'azure-openai.chat': 'azure.ai.openai',
  'azure.responses': 'azure.ai.openai',
  'google.generative-ai': 'gcp.gemini',
  'google.vertex.chat': 'gcp.vertex_ai',
  'vertex.anthropic.messages': 'gcp.vertex_ai',
  'amazon-bedrock': 'aws.bedrock',
  'mistral.chat': 'mistral_ai',
  'xai.chat': 'x_ai',
  'moonshotai.chat': 'moonshot_ai',
  google_vertexai: 'gcp.vertex_ai',
  amazon_bedrock: 'aws.bedrock',
  FakeList: 'fakelist',
  'my-provider.chat': 'my-provider',
  'constructor.chat': 'constructor',
};

describe('providerName', () => {
  for (const [given, expected] of Object.entries(NAMES)) {
    it(`${given} is ${expected}`, () => assert.equal(providerName(given), expected));
  }
});
