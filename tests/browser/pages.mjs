// The tour with an inspector.
import test from 'node:test';

import { contented, inspect } from './inspect.mjs';
import { CHAPTERS } from './tour.mjs';

/** A test for each chapter of the tour in that language. */
export function pages(lang) {
  for (const [name, chapter] of Object.entries(CHAPTERS)) {
    test(`${lang}, ${name}`, async (t) => {
      const faults = [];
      const stop = async (place, page) => faults.push(...await inspect(page, place));
      await chapter(t, { lang, stop });
      contented(faults);
    });
  }
}
