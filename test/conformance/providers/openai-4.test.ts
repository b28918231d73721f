import { describeOpenAi } from './openai/describe-openai.ts';

describeOpenAi(4, 'openai-4');
