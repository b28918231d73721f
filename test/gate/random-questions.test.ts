import { answersRandomQuestions } from '../conformance/usage-readers/random-questions-suite.ts';

answersRandomQuestions(60);
