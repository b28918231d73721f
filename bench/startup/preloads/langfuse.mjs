import { observeOpenAI } from '@langfuse/openai';

globalThis.observeOpenAI = observeOpenAI;
