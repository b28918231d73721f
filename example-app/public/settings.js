// @ts-check
import { goToSignIn } from './api.js';
import { identity } from './layout.js';

const { name } = await identity;
if (name === null) goToSignIn();
