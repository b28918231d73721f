import { answersRandomQuestions } from './random-questions-suite.ts';

answersRandomQuestions(30);
