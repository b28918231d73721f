import { describeOpenAi } from './openai/describe-openai.ts';

describeOpenAi(7, 'root');
