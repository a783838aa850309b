// What the desk's script computes: names of keys, windows on a page.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { keyName, moved, zoomed } = await load('desk.js');

const press = (key, more = {}) => keyName({ key, keyCode: 0, ...more });

test('keys have the names of the markup', () => {
  assert.equal(press('Enter', { ctrlKey: true }), 'Ctrl+Enter');
  assert.equal(press('r', { altKey: true }), 'Alt+R');
  assert.equal(press('ArrowDown', { altKey: true }), 'Alt+↓');
  assert.equal(press('?'), '?');
});

test('a key that belongs to an input method is nobody else\'s', () => {
  assert.equal(press('Enter', { ctrlKey: true, isComposing: true }), '');
  assert.equal(press('Enter', { ctrlKey: true, keyCode: 229 }), '');
  assert.equal(press('k', { metaKey: true }), '');
});

test('the window grows and shrinks around its middle and stays on the page', () => {
  const whole = [0, 0, 210, 297];
  const closer = zoomed(whole, 2);
  assert.deepEqual(closer, [52.5, 74.25, 105, 148.5]);
  assert.deepEqual(zoomed(closer, 0.1), whole, 'never more than the page');
  const [, , narrowest] = zoomed(whole, 100);
  assert.equal(narrowest, 35, 'never nearer than six times');
  assert.deepEqual(moved(closer, 1000, -1000), [105, 0, 105, 148.5]);
  assert.deepEqual(moved(whole, 50, 50), whole);
});
