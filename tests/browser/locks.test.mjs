// Wrong entries: what they cost, the page at which they end, and who is told.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { mistyped, wrongDigits } from './digits.mjs';
import { Hands } from './hands.mjs';
import { mailsOf } from './mails.mjs';
import { hanako, ichiro, naoko, taro, wrongCardOf } from './people.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { World } from './world.mjs';

/** The attempts that were judged, and those refused unseen. */
async function attempts(world, person, kind) {
  const history = await world.credentialHistory(person, kind);
  const charges = history.filter((entry) => entry.command === 'ChargeAttempt');
  const judged = charges.filter((entry) => entry.kind === 'transition').length;
  return { judged, refused: charges.length - judged };
}

/** Mails about a lock; one of each addressee at most. */
async function lockNotices(world, subject, told) {
  const found = await world.until(`mails: ${subject}`, async () => {
    const all = (await mailsOf(world)).filter((mail) => subject.test(mail.subject));
    return all.length >= told.length ? all : null;
  });
  assert.deepEqual(found.map((mail) => mail.to).sort(), told.map((one) => one.mail).sort());
}

test('five wrong retrieval passwords lock; a slip of typing costs nothing', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const { digits } = await (await new Visitor(world).signIn(hanako)).reissue();
  for (const script of [true, false]) {
    const page = await browser.page({ javaScriptEnabled: script });
    const hands = new Hands(page);
    await page.goto(`${world.customers}/certificate`);
    await hands.signIn(hanako);
    for (const slip of [mistyped(digits), digits.slice(0, 15), `${digits.slice(0, 15)}x`]) {
      await hands.type('customer.retrieval.digits', slip);
      await hands.press('customer.retrieval.do');
      await page.locator('input[aria-invalid=true]').waitFor();
      await page.locator('.mistake:visible').first().waitFor();
    }
    assert.deepEqual(await attempts(world, hanako, 'retrieval'), { judged: 0, refused: 0 });
    await page.context().close();
  }
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.customers}/certificate`);
  await hands.signIn(hanako);
  await hands.reads('customer.retrieval.left', { n: 5 });
  for (let wrong = 1; wrong <= 4; wrong += 1) {
    await hands.type('customer.retrieval.digits', wrongDigits(wrong));
    await hands.press('customer.retrieval.do');
    await hands.reads('customer.retrieval.wrong', { n: 5 - wrong });
  }
  await hands.type('customer.retrieval.digits', wrongDigits(5));
  await hands.press('customer.retrieval.do');
  await hands.arrives('customer.locked.retrieval_title');
  await hands.reads('customer.locked.retrieval_do1');
  assert.deepEqual(await attempts(world, hanako, 'retrieval'), { judged: 5, refused: 0 });
  await lockNotices(world, /ロック/, [hanako, ichiro]);
  // Now the right digits are refused unseen, and the user is not led round in circles (S3).
  await page.goto(`${world.customers}/certificate`);
  await hands.reads('customer.retrieval.locked');
  await hands.type('customer.retrieval.digits', digits);
  await hands.press('customer.retrieval.do');
  await hands.arrives('customer.locked.retrieval_title');
  await page.goto(`${world.customers}/reissue`);
  await hands.follow('customer.case.next_why_locked');
  await hands.arrives('customer.locked.retrieval_title');
  browser.isContent();
});

test('S3: a colleague opens the lock by reissuing', async (t) => {
  const world = await World.of(t);
  const file = await certificateOf(world, ichiro);
  const locked = await new Visitor(world).signIn(hanako);
  await locked.reissue();
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await locked.post('/certificate', { digits: wrongDigits(wrong) });
  }
  const colleague = await new Visitor(world, file).enter(ichiro);
  const { digits } = await colleague.reissueFor(hanako);
  const certificate = await locked.fetch(digits);
  const welcome = await new Visitor(world, certificate).get('/', { accept: 'application/json' });
  assert.equal(JSON.parse(welcome.text()).visit, 'welcome');
});

test('five wrong one-time passwords lock the card and end the case', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.customers}/reissue`);
  await hands.signIn(naoko);
  await page.locator('input[value=expired]').check();
  await hands.press('customer.reason.do');
  await hands.type('customer.own.card', '12345');
  await hands.press('customer.own.card_do');
  await hands.reads('customer.own.card_slip');
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await hands.type('customer.own.card', wrongCardOf(naoko));
    await hands.press('customer.own.card_do');
    if (wrong < 5) await hands.reads('customer.own.left', { n: 5 - wrong });
  }
  await hands.arrives('customer.locked.one_time_password_title');
  assert.deepEqual(await attempts(world, naoko, 'one_time_password'), { judged: 5, refused: 0 });
  const [line] = await world.cases('self_service');
  await world.until('the case is over', async () => (await world.case(line.case)).ended_at);
  await page.goto(`${world.customers}/reissue`);
  await page.locator('input[value=expired]').check();
  await hands.press('customer.reason.do');
  await hands.arrives('customer.declined.title');
  await lockNotices(world, /ロック/, [naoko]);
  browser.isContent();
});

test('five wrong transaction passwords lock; nothing was issued', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.holding(t, world, await certificateOf(world, hanako));
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.members}/settings/users/reissue`);
  await hands.enter(hanako);
  await hands.pick(taro);
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await hands.type('customer.confirm.password', taro.order);
    await hands.press('customer.confirm.do');
    if (wrong < 5) await hands.reads('customer.own.left', { n: 5 - wrong });
  }
  await hands.arrives('customer.locked.transaction_title');
  assert.deepEqual(await attempts(world, hanako, 'transaction'), { judged: 5, refused: 0 });
  assert.deepEqual(await world.rows("SELECT id FROM retrieval_passwords WHERE channel = 'delegated'"), []);
  browser.isContent();
});

test('a login is slowed after five wrong ones, and says nothing about what was wrong', async (t) => {
  const world = await World.of(t, { settings: { 'rules.login_delay_from_wrong': 5 } });
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  const answers = new Set();
  const answer = async (person, password) => {
    await page.goto(`${world.customers}/sign-in`);
    await hands.signIn({ ...person, login: password });
    await page.locator('#errors').waitFor();
    answers.add(await page.locator('#errors').innerText());
  };
  // After the eighth judged entry one waits for eight seconds: long enough for a slow machine.
  let before = { judged: 0, refused: 0 };
  while (before.judged < 8) {
    await answer(hanako, 'wrong');
    before = await attempts(world, hanako, 'login');
  }
  await answer(hanako, hanako.login);
  await answer({ ...hanako, id: '999999999' }, 'wrong');
  await answer({ ...hanako, contract: '9999999999' }, 'wrong');
  assert.equal(answers.size, 1, 'one answer for every reason');
  const { judged, refused } = await attempts(world, hanako, 'login');
  assert.equal(judged, 8, 'the right password was not even looked at');
  assert.equal(refused, before.refused + 1);
  await hands.follow('customer.sign_in.cannot');
  await hands.arrives('customer.locked.login_title');
  // Somebody else signs in meanwhile.
  await page.goto(`${world.customers}/sign-in`);
  await hands.signIn(naoko);
  await hands.arrives('customer.retrieval.title');
  browser.isContent();
});

test('64 parallel wrong entries: five reach the hash, 59 are answered "locked", one notice', async (t) => {
  const world = await World.of(t);
  const visitor = await new Visitor(world).signIn(hanako);
  const { digits } = await visitor.reissue();
  const entries = Array.from({ length: 64 }, (_, n) => wrongDigits(n));
  const answers = await Promise.all(
    entries.map((entry) => visitor.post('/certificate', { digits: entry })),
  );
  // The fifth judged entry locks; its answer is "locked" like those of the 59 refused unseen.
  const locked = answers.filter(({ location }) => location === '/locked/retrieval');
  const wrong = answers.filter(({ location }) => location === '/certificate?missed=1');
  assert.equal(locked.length + wrong.length, 64);
  assert.ok(wrong.length <= 5 && locked.length >= 59, `${wrong.length} wrong, ${locked.length} locked`);
  assert.deepEqual(await attempts(world, hanako, 'retrieval'), { judged: 5, refused: 59 });
  await lockNotices(world, /ロック/, [hanako, ichiro]);
  const [line] = await world.cases('self_service');
  const entries_ = await world.history(line.case);
  assert.equal(entries_.filter((entry) => /Locked/.test(entry.to)).length, 1);
  const late = await visitor.post('/certificate', { digits });
  assert.equal(late.location, '/locked/retrieval', 'even the right digits');
});

test('16 parallel confirmations, and a second administrator: one password', async (t) => {
  const world = await World.of(t);
  const files = [await certificateOf(world, hanako), await certificateOf(world, ichiro)];
  const first = await new Visitor(world, files[0]).enter(hanako);
  const case_ = await first.pick(taro);
  const path = `/settings/users/reissue/${case_}`;
  const confirm = () => first.post(path, { transaction_password: hanako.order });
  const answers = await Promise.all(Array.from({ length: 16 }, confirm));
  for (const { status, location } of answers) {
    assert.equal(status, 303);
    assert.ok([path, `${path}/done`].includes(location), location);
  }
  const passwords = () =>
    world.rows(`SELECT id FROM retrieval_passwords WHERE user_id = (SELECT id FROM users WHERE user_id = '${taro.id}')`);
  assert.equal((await passwords()).length, 1);
  const shown = new Set();
  for (let tab = 0; tab < 4; tab += 1) {
    shown.add(Visitor.digits(await first.get(`${path}/done?show=1`)));
  }
  assert.equal(shown.size, 1);
  // S1, two administrators at once: the other one is shown where it stands.
  const second = await new Visitor(world, files[1]).enter(ichiro);
  assert.equal(await second.pick(taro), case_);
  const denied = await second.get(`${path}/done?show=1`);
  assert.equal(denied.status, 404);
  assert.equal((await passwords()).length, 1);
});
