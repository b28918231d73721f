import { describeOpenAi } from './openai/describe-openai.ts';

describeOpenAi(5, 'openai-5');
