import { describeOpenAi } from './openai/describe-openai.ts';

describeOpenAi(6, 'openai-6');
