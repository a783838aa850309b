// Path 2: the holder of the authority reissues for a colleague, page by page as the manual tells
// it; the digits are the same however the page is opened again.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { Browser } from './browser.mjs';
import { Hands, digitsOn } from './hands.mjs';
import { awaitMails } from './mails.mjs';
import { cardOf, hanako, ichiro, misaki, taro } from './people.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { words } from './words.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);

const VARIANTS = [
  { lang: 'ja', script: true, scheme: 'light' },
  { lang: 'en', script: true, scheme: 'dark' },
  { lang: 'ja', script: false, scheme: 'light' },
];

test('the pages are called as the manual calls them', () => {
  const say = words('ja');
  assert.equal(say('customer.menu.title'), 'トップページ');
  assert.equal(say('customer.nav_settings'), '各種設定');
  assert.equal(say('customer.users.title'), '利用者登録');
  assert.equal(say('customer.colleagues.title'), '証明書取得用パスワード再発行');
  assert.equal(say('customer.colleagues.select'), '選択');
  assert.equal(say('customer.confirm.do'), '再発行');
  assert.equal(say('customer.confirm.back'), '前画面へ戻る(修正)');
  assert.equal(say('customer.confirm.cancel'), '中止');
  assert.equal(say('customer.password.print'), 'このページを印刷する');
});

for (const variant of VARIANTS) {
  const name = `${variant.lang}, ${variant.script ? 'with' : 'without'} JavaScript`;
  test(`path 2: ${name}`, (t) => pathTwo(t, variant));
}

async function pathTwo(t, { lang, script, scheme }) {
  const world = await World.of(t);
  const browser = await Browser.holding(t, world, await certificateOf(world, hanako));
  const context = await browser.context({
    locale: lang === 'ja' ? 'ja-JP' : 'en-GB', javaScriptEnabled: script, colorScheme: scheme,
  });
  const page = await context.newPage();
  const hands = new Hands(page, lang);

  // Login, then 1, 2: トップページ, 各種設定, 利用者登録, 証明書取得用パスワード再発行.
  await page.goto(world.members);
  await hands.enter(hanako);
  await hands.arrives('customer.menu.title');
  await hands.follow('customer.nav_settings');
  await hands.follow('customer.users.title');
  await hands.follow('customer.colleagues.title');

  // 3: [選択]. Whoever has many colleagues searches, in any kana.
  await search(hands, script);
  // No reason is chosen beforehand, and without one nothing is begun.
  await page.locator(`button[value="${taro.id}"]`).click();
  await hands.reads('customer.reason.slip');
  await page.locator('#reason').selectOption('expired');
  await page.getByRole('button', {
    name: hands.say('customer.colleagues.select_one', { name: taro.name }), exact: true,
  }).click();
  await confirms(hands);
  const address = page.url();
  const number = Number(/\d+$/.exec(address)[0]);
  const other = await context.newPage();
  await other.goto(address);

  // 4: the own 取引実行パスワード: none, a wrong one, the right one with a double click.
  await hands.press('customer.confirm.do');
  await hands.reads('customer.confirm.slip');
  await hands.type('customer.confirm.password', 'order-010429003');
  await hands.press('customer.confirm.do');
  await hands.reads('customer.confirm.wrong');
  // F5 enters nothing again.
  await page.reload();
  await hands.reads('customer.confirm.wrong');
  await hands.reads('customer.own.left', { n: 4 });
  await hands.type('customer.confirm.password', hanako.order);
  await hands.button('customer.confirm.do').dblclick();
  await hands.arrives('customer.issued.title');

  // 5: the digits, hidden until asked for, and never others.
  assert.equal(await page.locator('#digits-shown').count(), 0);
  await page.getByRole('link', { name: hands.say('customer.password.show') }).click();
  const digits = await digitsOn(page);
  assert.match(digits, /^\d{16}$/);
  await alwaysTheSame(context, page, other, lang, digits);
  await issuedOnce(world, number);
  if (script) await printButton(hands);
  await printsOnePage(world, page, lang, digits);
  await tellsWhoForWhom(world, digits);

  // The colleague takes the digits to a certificate.
  const colleague = await new Visitor(world).signIn(taro);
  const file = await colleague.fetch(digits);
  await new Visitor(world, file).get('/');
  await world.stands(number, 'Tail.Completed');
  await page.reload();
  assert.equal(await page.locator('#digits-shown').count(), 0, 'digits that were used are gone');
  browser.isContent();
}

async function search(hands, script) {
  const { page } = hands;
  const rows = page.locator('#people tbody tr:visible');
  assert.equal(await rows.count(), 5, 'everybody but oneself');
  const field = page.getByRole('searchbox');
  await field.fill('やまだ');
  if (script) {
    await rows.nth(1).waitFor({ state: 'detached' });
    const said = hands.say('customer.colleagues.found', { n: 1 });
    assert.equal(await page.locator('#live').textContent(), said);
    await field.fill('');
    await field.fill('ﾔﾏﾀﾞ ０１０４２９００３');
  } else {
    await hands.press('customer.colleagues.search_do');
  }
  await rows.nth(1).waitFor({ state: 'detached' });
  assert.match(await rows.innerText(), /山田 太郎/);
}

/** 利用者ID, 利用者名, 部署名, 役職名. */
async function confirms(hands) {
  await hands.arrives('customer.confirm.title');
  const facts = hands.page.locator('dl.pairs').first();
  const terms = await facts.locator('dt').allInnerTexts();
  const values = await facts.locator('dd').allInnerTexts();
  const said = Object.fromEntries(terms.map((term, at) => [term, values[at].trim()]));
  const term = (name) => said[hands.say(`customer.person.${name}`)];
  assert.equal(term('user_id'), taro.id);
  assert.equal(term('name'), taro.name);
  assert.equal(term('department'), taro.department);
  assert.equal(term('title'), hands.say('customer.person.empty'));
}

async function alwaysTheSame(context, page, other, lang, digits) {
  for (let time = 0; time < 10; time += 1) {
    await page.reload();
    assert.equal(await digitsOn(page), digits, `F5, ${time + 1}`);
  }
  const shown = page.url();
  await page.goBack();
  await page.goForward();
  assert.equal(await digitsOn(page), digits, 'back and forward');
  // The form that was left open in another tab: its button leads here and issues nothing.
  const hands = new Hands(other, lang);
  await hands.type('customer.confirm.password', hanako.order);
  await hands.press('customer.confirm.do');
  await hands.arrives('customer.issued.title');
  await other.goto(shown);
  assert.equal(await digitsOn(other), digits, 'in the other tab');
  await other.close();
  // The confirmation's own address leads on as well.
  await page.goto(shown.replace(/\/done.*/, ''));
  await new Hands(page, lang).arrives('customer.issued.title');
  await page.goto(shown);
}

/** One password in the database, one entry that issued it in the history. */
async function issuedOnce(world, number) {
  const passwords = await world.rows(`SELECT id FROM retrieval_passwords WHERE case_id = ${number}`);
  assert.equal(passwords.length, 1);
  const history = await world.history(number);
  const issued = (entry) => entry.command === 'Issue' && entry.kind === 'transition';
  assert.equal(history.filter(issued).length, 1);
}

async function printButton(hands) {
  await hands.page.evaluate(() => {
    globalThis.print = () => { document.body.dataset.printed = 'yes'; };
  });
  await hands.press('customer.password.print');
  assert.equal(await hands.page.evaluate(() => document.body.dataset.printed), 'yes');
  await hands.page.reload();
}

/** A4, one page: whom it is for, the digits, until when, the warning, and nothing else. */
async function printsOnePage(world, page, lang, digits) {
  const path = join(world.folder, 'printed.pdf');
  await page.pdf({ path, format: 'A4', preferCSSPageSize: true });
  const { stdout: about } = await run('pdfinfo', [path]);
  assert.match(about, /^Pages: +1$/m);
  assert.match(about, /^Page size: +59[45]\.?\d* x 84[12]\.?\d* pts/m);
  const { stdout: text } = await run('pdftotext', ['-layout', path, '-']);
  const say = words(lang);
  assert.ok(text.replace(/\s/g, '').includes(digits), 'the digits');
  for (const expected of [taro.id, taro.name, taro.department, say('customer.password.print_title')]) {
    assert.ok(text.includes(expected), `${expected} is not printed:\n${text}`);
  }
  const joined = text.replace(/\s/g, '');
  const whole = (words_) => words_.replace(/\s/g, '');
  assert.ok(joined.includes(whole(say('customer.password.destroy', { name: taro.name }))));
  assert.ok(joined.includes(whole(say('customer.retrieval.warning', { n: 5 }))));
  for (const dropped of ['customer.password.copy', 'customer.nav_settings', 'customer.sign_out', 'customer.password.reload']) {
    assert.ok(!joined.includes(whole(say(dropped))), `${say(dropped)} is printed`);
  }
}

/** The colleague, the other administrator and whoever did it are told, without digits. */
async function tellsWhoForWhom(world, digits) {
  const mails = (await awaitMails(world, /証明書取得用パスワードを再発行しました/, 5)).slice(-3);
  const told = mails.map((mail) => mail.to).sort();
  assert.deepEqual(told, [hanako.mail, ichiro.mail, taro.mail].sort());
  for (const mail of mails) {
    assert.ok(mail.text.includes(hanako.name) && mail.text.includes(taro.name), mail.text);
    assert.ok(!mail.text.replace(/[\s-]/g, '').includes(digits));
  }
}

test('path 2 where only the colleague may see the digits', async (t) => {
  const world = await World.of(t, {
    ledger: (made) => made.rewrite('contracts.csv', '青い鳥と三毛猫,false', '青い鳥と三毛猫,true'),
  });
  const browser = await Browser.holding(t, world, await certificateOf(world, hanako));
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.members}/settings/users/reissue`);
  await hands.enter(hanako);
  await hands.pick(misaki);
  await hands.type('customer.confirm.password', hanako.order);
  await hands.press('customer.confirm.do');
  await hands.arrives('customer.granted.title');
  const number = Number(/(\d+)\/done/.exec(page.url())[1]);
  assert.equal(await page.locator('.pw').count(), 0, 'nothing to show here');

  const own = await browser.page();
  const colleague = new Hands(own);
  await own.goto(`${world.customers}/certificate`);
  await colleague.signIn(misaki);
  await colleague.follow('customer.retrieval.granted_do');
  await colleague.type('customer.own.card', await cardOf(world, misaki));
  await colleague.press('customer.own.card_do');
  const opening = own.context().waitForEvent('page');
  await colleague.press('customer.own.show');
  const shown = await opening;
  const digits = await digitsOn(shown);
  assert.match(digits, /^\d{16}$/);
  await shown.reload();
  assert.equal(await digitsOn(shown), digits);

  // To whoever granted it the page shows no digits, however it is asked.
  await page.goto(`${world.members}/settings/users/reissue/${number}/done?show=1`);
  assert.equal(await page.locator('#digits-shown').count(), 0);
  assert.ok(!(await page.content()).includes(digits));
  browser.isContent();
});
