// Sixteen digits that are none of a world's, in order or with a slip, told apart as the pages do.
import assert from 'node:assert/strict';

import { digitsFault } from '../../templates/web/static/page.js';

/** The n-th number with a right check digit. */
export function wrongDigits(n) {
  const first = String(700_000_000_000_000 + n);
  for (let check = 0; check < 10; check += 1) {
    if (digitsFault(`${first}${check}`) === null) return `${first}${check}`;
  }
  throw new Error('no check digit fits');
}

/** The same with its last digit mistyped. */
export function mistyped(digits) {
  const slip = `${digits.slice(0, 15)}${(Number(digits[15]) + 1) % 10}`;
  assert.equal(digitsFault(slip), 'check');
  return slip;
}
