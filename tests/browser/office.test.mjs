// A small pile of mixed forms, from the scans to posted letters: the mail room, two clerks, an
// approver and dispatch, at their desks by keyboard alone, with every press counted.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { Keys, desk, queue, tracking } from './keys.mjs';
import {
  atWork, hayashi, inoue, kimura, mori, ordered, posted, received, yamaguchi,
} from './office.mjs';
import { emily, hanako, ken, misaki, naoko, taro, tsubasa } from './people.mjs';
import { World } from './world.mjs';

const DESK = { viewport: { width: 1440, height: 960 } };
/** From taking a clean form to handing it on, judgements not counted. */
const MOST = 6;

async function state(world, number) {
  return (await world.case(number)).state;
}

/** A clean form: taken, seal and two looks judged, handed on. */
async function check(world, page) {
  const keys = new Keys(page);
  await keys.press('Enter');
  const number = await desk(page);
  assert.equal(await keys.focus(), 'seal=match', 'the seal is the first thing to judge');
  assert.equal(await page.locator('input[name=seal]:checked').count(), 0, 'nothing is preselected');
  assert.equal(await page.locator('.looks input:checked').count(), 0);
  await keys.judge();
  await keys.press('Tab');
  await keys.judge();
  await keys.press('Tab');
  await keys.judge();
  await keys.press('Control+Enter');
  await page.waitForURL(/\/queue\/check/);
  assert.ok(keys.count <= MOST, `${keys.count} presses`);
  return { number, count: keys.count };
}

/** Draws the picture of a page and gives how light a part of it is, from 0 to 255. */
function light(page, part) {
  return page.evaluate(async ([left, top, right, bottom]) => {
    const image = document.querySelector('.mask-stage img');
    await image.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
    const drawing = canvas.getContext('2d');
    drawing.drawImage(image, 0, 0);
    const [width, height] = [canvas.width, canvas.height];
    const { data } = drawing.getImageData(left * width, top * height, (right - left) * width, (bottom - top) * height);
    return data.reduce((sum, value, at) => (at % 4 === 3 ? sum : sum + value), 0) / (0.75 * data.length);
  }, part);
}

/** A password was written on the form: masked by the arrow keys, and once more by the pointer. */
async function masked(world, page, number) {
  const back = page.url();
  const keys = new Keys(page);
  await keys.reach(`a[href="/masks/${number}/0"]`);
  await keys.press('Enter');
  await page.waitForURL(/\/masks\/\d+\/0$/);
  const [foot, head] = [[0.06, 0.91, 0.34, 0.97], [0.42, 0.022, 0.58, 0.038]];
  const before = [await light(page, foot), await light(page, head)];
  assert.ok(before[0] > 150 && before[1] > 150, `paper is light: ${before}`);
  const side = (name) => page.locator(`#${name}`).inputValue();
  await keys.reach('[data-grip]');
  for (let press = 0; press < 10; press += 1) await keys.press('ArrowLeft');
  for (let press = 0; press < 4; press += 1) await keys.press('Shift+ArrowDown');
  assert.deepEqual([await side('x'), await side('y'), await side('w'), await side('h')], ['5.0', '10.0', '30.0', '12.0']);
  await page.locator('#y').fill('90');
  await page.locator('#h').fill('8');
  await page.locator('#y').press('Enter');
  await page.hands.reads('staff.mask.done');
  assert.ok(await light(page, foot) < 60, 'painted over in the picture itself');
  const { x, y, width, height } = await page.locator('.mask-stage').boundingBox();
  await page.mouse.move(x + width * 0.4, y + height * 0.02);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + height * 0.04, { steps: 4 });
  await page.mouse.up();
  const drawn = [await side('x'), await side('w')].map(Number);
  assert.ok(Math.abs(drawn[0] - 40) < 1 && Math.abs(drawn[1] - 20) < 1, drawn.join(' '));
  await page.hands.press('staff.mask.do');
  await page.locator('table a[href^="/mask/"]').nth(1).waitFor();
  assert.ok(await light(page, head) < 60);
  await page.goto(back);
  await desk(page);
}

test('a pile of six from the scans to posted letters, by keyboard', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const wishes = [
    [naoko, naoko, 'retrieval_reissue', 'expired', true],
    [naoko, tsubasa, 'retrieval_reissue', 'new_pc', true],
    [hanako, taro, 'retrieval_reissue', 'forgotten', true],
    [hanako, ken, 'retrieval_reissue', 'mistyped', true],
    [hanako, misaki, 'login_reset', '', true],
    [hanako, emily, 'retrieval_reissue', 'expired', false],
  ];
  const room = await atWork(world, await browser.page(DESK), mori);
  for (const [sender, user, request, reason, seal] of wishes) {
    const form = await ordered(world, sender, [[user, request, reason]]);
    await received(room, world, form, await posted(world, browser, form, { seal }));
  }

  // Two clerks in turn; whoever gets the form without a seal sends it back.
  const clerks = [
    await atWork(world, await browser.page(DESK), inoue),
    await atWork(world, await browser.page(DESK), kimura),
  ];
  const counts = [];
  const checked = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const page = clerks[turn % 2];
    await queue(world, page, 'check');
    const { number, count } = await check(world, page);
    counts.push(count);
    checked.push(number);
  }
  assert.equal(new Set(checked).size, 5, 'nobody got the case of another');
  t.diagnostic(`presses from claim to hand-on: ${counts.join(', ')}`);
  const page = clerks[1];
  await queue(world, page, 'check');
  const keys = new Keys(page);
  await keys.press('Enter');
  const unsealed = await desk(page);
  await page.getByText('お届け印の印影が見つかりません').waitFor();
  await masked(world, page, unsealed);
  await keys.press('Alt+r');
  await page.waitForURL(/\/return/);
  while (await keys.focus() !== 'code_SEAL_MISSING=yes') await keys.press('Tab');
  await keys.judge();
  await keys.press('Control+Enter');
  // The letter is seen before the form goes: nothing is returned by the look.
  await page.waitForURL(/\/return\/look/);
  const letter = page.locator('.sheet-view img');
  await letter.waitFor();
  await page.waitForFunction(() => document.querySelector('.sheet-view img').naturalHeight > 1000);
  assert.equal(await state(world, unsealed), 'Identified');
  await keys.press('Control+Enter');
  await page.waitForURL(/\/queue\/check/);
  assert.equal(await state(world, unsealed), 'Returned');

  // The approver, with other eyes.
  const approver = await atWork(world, await browser.page(DESK), hayashi);
  for (let turn = 0; turn < 5; turn += 1) {
    await queue(world, approver, 'approve');
    const hands = new Keys(approver);
    await hands.press('Enter');
    await desk(approver);
    assert.equal(await approver.locator('details[open]').count(), 0, 'the first result is not shown');
    await hands.judge();
    await hands.press('Control+Enter');
    await approver.waitForURL(/\/queue\/approve/);
  }
  const letters = [];
  for (const number of checked) {
    const found = await world.stands(number, 'Printed', 'ByHand');
    if (found.state === 'Printed') letters.push(number);
  }
  assert.equal(letters.length, 4);

  // Dispatch: the count must agree before anything leaves.
  const post = await atWork(world, await browser.page(DESK), yamaguchi);
  await post.goto(`${world.staff}/dispatch`);
  assert.equal(await post.locator('input[name^=tracking_]').count(), 0, 'nothing is printed yet');
  await world.print();
  await post.reload();
  for (const [index, number] of letters.entries()) {
    await post.locator(`input[name=tracking_${number}]`).focus();
    await post.keyboard.type(tracking(index));
  }
  await post.locator('#counted').focus();
  await post.keyboard.type('3');
  await post.keyboard.press('Enter');
  await post.hands.reads('staff.dispatch.count_differs', { n: 4 });
  for (const number of letters) assert.equal(await state(world, number), 'Printed');
  await post.locator('#counted').fill('4');
  await post.keyboard.press('Enter');
  await post.hands.reads('staff.dispatch.posted', { n: 4 });
  for (const number of letters) assert.equal(await state(world, number), 'Dispatched');
  await post.locator('#tracking').fill(tracking(0));
  await post.hands.press('staff.dispatch.delivered');
  assert.match(await post.locator('.note.ok[role=status]').innerText(), /R\d+-\d{6} の親展書が届いた/);
  assert.equal(await state(world, letters[0]), 'Tail.Waiting');

  // Every look stands in the history.
  const entries = await world.history(checked[0]);
  for (const what of ['TakeCase', 'ViewForm', 'ViewPage', 'ViewSeal']) {
    assert.ok(entries.some(({ command }) => command === what), `${what} is not in the history`);
  }
  browser.isContent();
});

test('without JavaScript every act works as well', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const form = await ordered(world, naoko, [[naoko, 'retrieval_reissue', 'expired']]);
  const pages = await posted(world, browser, form);
  const plain = { ...DESK, javaScriptEnabled: false };
  const room = await atWork(world, await browser.page(plain), mori);
  await received(room, world, form, pages);
  const clerk = await atWork(world, await browser.page(plain), inoue);
  await queue(world, clerk, 'check');
  await clerk.locator('form[action$="/next"] button').click();
  const desk_ = clerk.url();
  await clerk.locator('a[href^="/masks/"]').click();
  await clerk.locator('#y').fill('92');
  await clerk.locator('#h').fill('5');
  await clerk.hands.press('staff.mask.look');
  await clerk.locator('.mask-stage rect').waitFor({ state: 'attached' });
  await clerk.hands.press('staff.mask.do');
  await clerk.hands.reads('staff.mask.done');
  await clerk.goto(desk_);
  await clerk.locator('input[name=seal][value=match]').check();
  for (const box of await clerk.locator('.looks input').all()) await box.check();
  await clerk.locator('#handing button').click();
  await clerk.waitForURL(/\/queue\/check/);
  const approver = await atWork(world, await browser.page(plain), hayashi);
  await queue(world, approver, 'approve');
  await approver.locator('form[action$="/next"] button').click();
  const number = Number(/desk\/(\d+)/.exec(approver.url())[1]);
  await approver.locator('input[name=seal][value=match]').check();
  await approver.locator('#handing button[value=approve]').click();
  await approver.waitForURL(/\/queue\/approve/);
  await world.stands(number, 'Printed');
  browser.isContent();
});

test('a file that cannot be read is read again, alone, or given up, by keyboard', async (t) => {
  const world = await World.of(t, { settings: { 'intake.look_s': 1 } });
  const browser = await Browser.of(t, world);
  const room = await atWork(world, await browser.page(DESK), mori);
  const keys = new Keys(room);
  await room.goto(`${world.staff}/intake`);
  const letter = { name: 'letter.png', mimeType: 'image/png', buffer: await room.screenshot() };
  const broken = { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 torn') };
  await room.locator('#files').setInputFiles([letter, broken]);
  await room.hands.press('staff.intake.do_scan');
  await room.hands.reads('staff.intake.failed_unreadable');
  const tally = async () => (await room.locator('#tally').innerText()).replace(/\s+/g, ' ');
  assert.match(await tally(), /届出書以外 1 .*読めなかった 1 = 2/);
  const attempts = async () => {
    const rows = await world.rows('SELECT name, attempts, state FROM arrivals ORDER BY name');
    return rows.map(({ name, attempts: begun, state: at }) => `${name} ${begun} ${at}`);
  };
  assert.deepEqual(await attempts(), ['broken.pdf 1 failed', 'letter.png 1 done']);
  await keys.reach('#files-card button[value=again]');
  await keys.press('Enter');
  await room.hands.reads('staff.intake.again_told', { n: 1 });
  await world.until('the file to fail again', async () => (await attempts())[0] === 'broken.pdf 2 failed');
  assert.equal((await attempts())[1], 'letter.png 1 done', 'what was read is left alone');
  // The part of the page that shows it brings itself up to date.
  await room.locator('#files-card button[value^=aside]').waitFor();
  await keys.reach('#files-card button[value^=aside]');
  await keys.press('Enter');
  await room.hands.reads('staff.intake.aside_told');
  await room.hands.reads('staff.intake.aside');
  assert.equal(await room.locator('#files-card button').count(), 0, 'nothing is left to be done');
  assert.match(await tally(), /読めなかった 1 = 2/, 'the page stays counted');
  browser.isContent();
});
