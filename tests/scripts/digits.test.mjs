// page.js judges an entry exactly as src/secret/digits.rs does.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load, text } from './load.mjs';

const { digitsFault, tidyDigits } = await load('page.js');
const server = await text('src/secret/digits.rs');

/** What the server's generator makes of its tests' counting entropy. */
const GOOD = '0741852307418565';

/** The server's own table, read from its source. */
const DAMM = [...server.matchAll(/^ {4}\[((?:\d, ){9}\d)\],$/gm)].map(([, row]) =>
  row.split(', ').map(Number),
);
const checkDigit = (digits) =>
  [...digits].reduce((interim, digit) => DAMM[interim][Number(digit)], 0);

/** The entropy of the server's tests: 0, 37, 74 … without the six highest bytes. */
function counted() {
  const bytes = Array.from({ length: 32 }, (_, at) => (37 * at) % 256).filter((byte) => byte < 250);
  return bytes
    .slice(0, 15)
    .map((byte) => byte % 10)
    .join('');
}

test("the table is the server's, digit for digit", () => {
  assert.equal(DAMM.length, 10);
  assert.equal(counted() + checkDigit(counted()), GOOD);
  for (let turn = 0; turn < 2_000; turn += 1) {
    const digits = Array.from({ length: 15 }, () => Math.floor(Math.random() * 10)).join('');
    for (let last = 0; last < 10; last += 1) {
      const expected = last === checkDigit(digits) ? null : 'check';
      assert.equal(digitsFault(digits + last), expected, digits + last);
    }
  }
});

test('every slip of one digit and every swap of neighbours is noticed', () => {
  assert.equal(digitsFault(GOOD), null);
  for (let at = 0; at < 16; at += 1) {
    for (const digit of '0123456789') {
      const slip = GOOD.slice(0, at) + digit + GOOD.slice(at + 1);
      assert.equal(digitsFault(slip), slip === GOOD ? null : 'check', slip);
    }
    const swap = GOOD.slice(0, at) + (GOOD[at + 1] ?? '') + GOOD[at] + GOOD.slice(at + 2);
    assert.equal(digitsFault(swap), swap === GOOD ? null : 'check', swap);
  }
});

test('entries may be grouped or full-width', () => {
  const groups = GOOD.match(/.{4}/g);
  const wide = GOOD.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
  const grouped = ['-', ' ', '　', '\t', '\u0085', '‐'].map((separator) => groups.join(separator));
  for (const entry of [...grouped, wide, ` ${GOOD}\n`]) {
    assert.equal(digitsFault(entry), null, JSON.stringify(entry));
    assert.equal(tidyDigits(entry), GOOD);
  }
});

test('every separator of the server is one here', () => {
  const arm = server.match(/matches!\(character, (.*)\)/)[1];
  const separators = [...arm.matchAll(/'(.)'/gu)].map(([, letter]) => letter);
  assert.ok(separators.length >= 6, arm);
  for (const separator of separators) assert.equal(tidyDigits(`1${separator}2`), '12', separator);
  // A space to JavaScript's \s, but none in Unicode.
  assert.equal(digitsFault(`\ufeff${GOOD}`), 'character');
});

test('what cannot be a retrieval password at all', () => {
  assert.equal(digitsFault('12'), 'length');
  assert.equal(digitsFault(''), 'length');
  assert.equal(digitsFault('abc'), 'character');
  assert.equal(digitsFault('٣'.repeat(16)), 'character');
  assert.equal(digitsFault('1'.repeat(9_999)), 'length');
  assert.equal(digitsFault(`${GOOD}1`), 'length');
  // The first thing wrong is the one that is told.
  assert.equal(digitsFault(`${GOOD}a`), 'character');
  assert.equal(digitsFault(`${GOOD}1a`), 'length');
  // 128 octets are looked at, in UTF-8.
  assert.equal(digitsFault(GOOD + ' '.repeat(112)), null);
  assert.equal(digitsFault(GOOD + ' '.repeat(113)), 'length');
  assert.equal(digitsFault(`${GOOD}${'　'.repeat(37)} `), null);
  assert.equal(digitsFault(`${GOOD}${'　'.repeat(38)}`), 'length');
});
