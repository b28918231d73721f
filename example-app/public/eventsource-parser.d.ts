// What `pages.ts` serves as /assets/eventsource-parser.js.
export { createParser } from 'eventsource-parser';
