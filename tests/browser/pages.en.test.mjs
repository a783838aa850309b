// Every page in every state, in English: accessible, narrow, worked by the keyboard.
import { pages } from './pages.mjs';

pages('en');
