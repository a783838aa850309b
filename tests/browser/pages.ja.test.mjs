// Every page in every state, in Japanese: accessible, narrow, worked by the keyboard.
import { pages } from './pages.mjs';

pages('ja');
