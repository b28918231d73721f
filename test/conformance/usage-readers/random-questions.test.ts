import { answersRandomQuestions } from './random-questions-suite.ts';

// test/gate/random-questions.test.ts asks more of them, and test/slow a thousand.
answersRandomQuestions(12);
