// What the script of masks computes: a rectangle drawn, moved and sized, and never off the page.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { between, kept, pressed } = await load('mask.js');

const AREA = { x: 10, y: 20, w: 30, h: 5 };

test('a rectangle lies between two points, however they were drawn', () => {
  const drawn = { x: 10, y: 20, w: 30, h: 40 };
  assert.deepEqual(between([10, 20], [40, 60]), drawn);
  assert.deepEqual(between([40, 20], [10, 60]), drawn);
  assert.deepEqual(between([40, 60], [10, 20]), drawn);
});

test('arrow keys move it, with Shift they change its size', () => {
  assert.deepEqual(pressed(AREA, 'ArrowRight', false), { ...AREA, x: 10.5 });
  assert.deepEqual(pressed(AREA, 'ArrowUp', false), { ...AREA, y: 19.5 });
  assert.deepEqual(pressed(AREA, 'ArrowLeft', true), { ...AREA, w: 29.5 });
  assert.deepEqual(pressed(AREA, 'ArrowDown', true), { ...AREA, h: 5.5 });
  assert.equal(pressed(AREA, 'Tab', false), null);
});

test('it stays on the page and never vanishes', () => {
  assert.deepEqual(kept({ x: 90, y: -3, w: 30, h: 5 }), { x: 70, y: 0, w: 30, h: 5 });
  assert.deepEqual(kept({ x: 0, y: 0, w: 0, h: 200 }), { x: 0, y: 0, w: 0.2, h: 100 });
  assert.deepEqual(pressed({ ...AREA, x: 0 }, 'ArrowLeft', false), { ...AREA, x: 0 });
});
