// "Which way is mine?": before login by questions, after login by facts.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { Hands } from './hands.mjs';
import { hanako, taro } from './people.mjs';
import { Visitor } from './visitor.mjs';
import { words } from './words.mjs';
import { World } from './world.mjs';

/** Every way through the questions, and what is said at its end. */
const WAYS = [
  [{ danger: 'yes' }, 'R_STOP', 'stop'],
  [{ danger: 'no', needed: 'no' }, 'R_NOT_NEEDED', 'not_needed'],
  [{ danger: 'no', needed: 'yes', renewable: 'yes' }, 'R_RENEW', 'renew'],
];
const ABLE = { danger: 'no', needed: 'yes', renewable: 'no' };
const UNABLE = [
  { authority: 'no' },
  { authority: 'yes', login: 'no' },
  { authority: 'yes', login: 'yes', card: 'no' },
  { authority: 'yes', login: 'yes', card: 'yes', retrieval: 'no' },
];
WAYS.push([
  { ...ABLE, authority: 'yes', login: 'yes', card: 'yes', retrieval: 'yes' }, 'R_SELF', 'own',
]);
for (const unable of UNABLE) {
  WAYS.push([{ ...ABLE, ...unable, colleague: 'yes' }, 'R_ADMIN', 'colleague']);
  WAYS.push([{ ...ABLE, ...unable, colleague: 'no', chain: 'yes' }, 'R_CHAIN', 'chain']);
  WAYS.push([{ ...ABLE, ...unable, colleague: 'no', chain: 'no' }, 'R_PAPER', 'paper']);
}

test('before login every way through the questions ends with advice, reason and next step', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const context = await browser.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  for (const [answers, advice, reason] of WAYS) await walk(page, world, answers, advice, reason);
  assert.deepEqual(await context.cookies(), [], 'nobody is remembered');
  assert.equal((await world.cases()).length, 0);
  browser.isContent();
});

async function walk(page, world, answers, advice, reason) {
  const say = words('ja');
  await page.goto(`${world.customers}/way`);
  for (const [question, answer] of Object.entries(answers)) {
    const asked = await page.locator('h1').innerText();
    assert.equal(asked, say(`customer.way.${question}`), 'danger first, then in order');
    await page.getByRole('link', { name: say(`customer.way.${answer}`), exact: true }).click();
  }
  assert.equal(await page.locator('h1').innerText(), say(`customer.way.say_${reason}`));
  const text = await page.locator('main').innerText();
  assert.ok(text.includes(say(`router.${advice}`)), advice);
  assert.ok(text.includes(say(`customer.way.why_${reason}`)), 'the reason');
  await nextStep(page, advice);
  // One answer can be taken back.
  const [last] = Object.keys(answers).slice(-1);
  await page.getByRole('link', { name: say('customer.way.back') }).click();
  assert.equal(await page.locator('h1').innerText(), say(`customer.way.${last}`));
}

test('the questions are the same in English', async (t) => {
  const world = await World.of(t);
  const say = words('en');
  const visitor = new Visitor(world);
  for (const [answers, advice, reason] of WAYS) {
    const query = new URLSearchParams({ ...answers, lang: 'en' });
    const page = (await visitor.get(`/way?${query}`)).text();
    const plain = (text) => text.replace(/[\u2019']|&#x27;/g, '');
    for (const key of [`router.${advice}`, `customer.way.say_${reason}`, `customer.way.why_${reason}`]) {
      assert.ok(plain(page).includes(plain(say(key))), key);
    }
  }
});

async function nextStep(page, advice) {
  const links = await page.locator('main .verdict a').evaluateAll((all) => all.map((a) => a.href));
  const leads = (part) => links.some((link) => link.includes(part));
  const steps = {
    R_STOP: () => leads('/call-back') && !leads('/sign-in'),
    R_SELF: () => leads('/sign-in'),
    R_PAPER: () => leads('/form/plain?variant=bizstation') && leads('variant=light'),
    R_RENEW: () => leads('https://certificate.'),
    R_ADMIN: () => leads('https://certificate.'),
    R_CHAIN: () => leads('/sign-in') || leads('https://certificate.'),
    R_NOT_NEEDED: () => true,
  };
  assert.ok(steps[advice](), `${advice}: ${links}`);
}

test('danger comes first: the first page leads to the emergency stop', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(world.customers);
  const first = await page.locator('main a').first().getAttribute('href');
  assert.equal(first, '/call-back', 'the first link of the page');
  await hands.follow('customer.start.danger_do');
  await hands.arrives('customer.call_back.title');
  await hands.press('customer.call_back.do');
  await hands.reads('customer.sign_in.contract_slip');
  // Whether anybody is known under the numbers, the answer is the same.
  const answers = [];
  for (const [contract, id] of [[taro.contract, taro.id], ['9999999999', '999999999']]) {
    await page.goto(`${world.customers}/call-back`);
    await hands.type('customer.sign_in.contract', contract);
    await hands.type('customer.sign_in.user_id', id);
    await hands.press('customer.call_back.do');
    await hands.arrives('customer.call_back.done');
    answers.push(await page.locator('main').innerHTML());
  }
  assert.equal(answers[0], answers[1]);
  const tasks = await world.until('the task to call back', () => world.rows('SELECT * FROM tasks'));
  assert.equal(tasks.length, 1, 'for the one who exists');
  browser.isContent();
});

test('after login the facts decide, and the page says why', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.customers}/reissue`);
  await hands.signIn(taro);
  // No authority, and nobody of the company has a certificate yet: a colleague goes first.
  await page.locator('input[value=expired]').check();
  await hands.press('customer.reason.do');
  await hands.arrives('customer.declined.title');
  await hands.reads('refusal.self_service.ColleagueFirst');
  assert.ok((await world.cases('self_service')).every((one) => one.ended_at), 'nothing is open');
  // A danger sign opens nothing online, whoever reports it.
  const other = await browser.page();
  const danger = new Hands(other);
  await other.goto(`${world.customers}/reissue`);
  await danger.signIn(hanako);
  await other.locator('input[value=vanished]').check();
  await danger.press('customer.reason.do');
  await danger.reads('refusal.self_service.Danger');
  const passwords = await world.rows('SELECT id FROM retrieval_passwords');
  assert.deepEqual(passwords, []);
  browser.isContent();
});
