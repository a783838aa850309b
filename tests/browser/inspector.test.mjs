// The inspector sees what it is there to see.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { inspect } from './inspect.mjs';
import { World } from './world.mjs';

/** What is done to a page, and the words in which the inspector must complain. */
const DEFECTS = [
  ['faint text', 'axe color-contrast', () => {
    document.querySelector('h1').style.color = 'rgb(200 200 200)';
  }],
  ['a field without a label', 'axe label', () => {
    document.querySelector('label').remove();
  }],
  ['a wide box', '320 pixels', () => {
    document.querySelector('h1').style.width = '500px';
  }],
  ['a box that is wide only with wider spacing', '320 pixels with wider spacing', () => {
    const heading = document.querySelector('h1');
    Object.assign(heading.style, { whiteSpace: 'nowrap', width: 'max-content' });
    heading.textContent = 'i'.repeat(36);
  }],
  ['a small button', 'target of', () => {
    Object.assign(document.querySelector('.button').style, { minHeight: '20px', height: '20px' });
  }],
  ['a focus without a ring', 'no ring', () => {
    document.querySelector('.button').style.outline = 'none';
  }],
  ['a field out of order', 'Tab goes back', () => {
    document.querySelector('#password').tabIndex = 1;
  }],
  ['a button that Tab leaves out', 'Tab does not reach', () => {
    document.querySelector('.button').addEventListener('keydown', () => {});
    document.querySelector('#password').addEventListener('keydown', (event) => {
      if (event.key !== 'Tab') return;
      event.preventDefault();
      document.querySelector('main .links a').focus();
    });
  }],
  ['a field under another box', 'hidden when focused', () => {
    const cover = document.createElement('div');
    Object.assign(cover.style, { position: 'fixed', inset: '0', background: 'white', opacity: '.1' });
    document.body.append(cover);
  }],
  ['a summary that leads nowhere', 'leads nowhere', () => {
    document.querySelector('main').insertAdjacentHTML('afterbegin',
      '<section id="errors"><a href="#nowhere">mistake</a></section>');
  }],
];

test('a page as it is has no fault, and each of these is seen', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const address = `${world.customers}/sign-in`;
  await page.goto(address);
  assert.deepEqual(await inspect(page, 'sound'), []);
  for (const [what, words, spoil] of DEFECTS) {
    await page.goto(address);
    await page.evaluate(spoil);
    const faults = await inspect(page, what);
    assert.ok(faults.some((fault) => fault.includes(words)), `${what} was not seen:\n${faults.join('\n')}`);
  }
});

test('a page that complains makes its browser discontent', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  await page.goto(world.customers);
  browser.isContent();
  const complaint = page.waitForEvent('console');
  await page.evaluate(() => console.error('a complaint'));
  await complaint;
  assert.throws(() => browser.isContent());
});
