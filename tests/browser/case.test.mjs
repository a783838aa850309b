// My case: followed like a parcel, withdrawn, disowned; and the session around it.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { Hands, digitsOn } from './hands.mjs';
import { awaitMails } from './mails.mjs';
import { hanako, ichiro, misaki, naoko, taro } from './people.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { World } from './world.mjs';

/** A page in which `person` has signed in at the customers' site. */
async function signedIn(browser, world, person, path, options) {
  const page = await browser.page(options);
  await page.goto(`${world.customers}${path}`);
  await new Hands(page).signIn(person);
  return page;
}

test('a case is followed like a parcel, and withdrawn', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const visitor = await new Visitor(world).signIn(hanako);
  const { case: number, digits } = await visitor.reissue();
  const page = await signedIn(browser, world, hanako, `/cases/${number}`, { javaScriptEnabled: false });
  const hands = new Hands(page);
  const steps = page.locator('.parcel li');
  assert.deepEqual(await steps.locator('b').allInnerTexts(), [
    'opened', 'identified', 'issued', 'entered', 'certified', 'completed',
  ].map((name) => hands.say(`customer.step.${name}`)));
  assert.match(await steps.nth(0).innerText(), /令和8年\(2026年\)\d+月\d+日\(.\) \d\d:\d\d/);
  assert.equal(await page.locator('.parcel li[aria-current=step] b').innerText(), hands.say('customer.step.issued'));
  // A step that lies ahead bears no date.
  assert.doesNotMatch(await steps.nth(4).innerText(), /年/);
  await hands.follow('customer.case.next_enter');
  await hands.arrives('customer.retrieval.title');
  await page.goBack();

  await hands.follow('customer.act.withdraw_do');
  await hands.arrives('customer.act.withdraw_title');
  await hands.follow('customer.act.no');
  await hands.follow('customer.act.withdraw_do');
  await hands.press('customer.act.withdraw_do');
  await hands.reads('customer.case.withdrawn');
  await page.reload();
  await hands.reads('customer.case.withdrawn');
  const history = await world.history(number);
  assert.equal(history.filter(({ command, kind }) => /Withdraw/.test(command) && kind === 'transition').length, 1);
  const refused = await visitor.post('/certificate', { digits });
  assert.equal(refused.status, 422, 'the digits are void');
  await awaitMails(world, /取りやめ/);
  browser.isContent();
});

test('"this was not me": the certificate is held and somebody looks into it', async (t) => {
  const world = await World.of(t);
  const file = await certificateOf(world, ichiro);
  const browser = await Browser.of(t, world);
  const [{ case: number }] = await world.cases('self_service');
  const page = await signedIn(browser, world, ichiro, `/cases/${number}`);
  const hands = new Hands(page);
  await hands.follow('customer.not_me');
  await hands.arrives('customer.act.disown_title');
  await hands.press('customer.act.disown_do');
  await hands.reads('customer.case.stopped');
  await world.until('the task', async () => {
    const tasks = await world.rows(`SELECT kind FROM tasks WHERE about_case = ${number}`);
    return tasks.some(({ kind }) => /incident/i.test(kind));
  });
  const standing = await new Visitor(world, file).get('/', { accept: 'application/json' });
  assert.equal(standing.status, 403);
  assert.match(JSON.parse(standing.text()).visit, /held|revoked/);
  browser.isContent();

  // In the browser that holds it, the page says what to do.
  const holder = await Browser.holding(t, world, file);
  const shut = await holder.page();
  await shut.goto(world.members);
  await new Hands(shut).reads('web.certificate.next');
  assert.equal(await shut.getByLabel(hands.say('customer.sign_in.password')).count(), 0);
});

test('an issued password that was never asked for is stopped from the page that shows it', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const visitor = await new Visitor(world).signIn(naoko);
  const { case: number, digits } = await visitor.reissue();
  const page = await signedIn(browser, world, naoko, `/reissue/${number}`);
  const hands = new Hands(page);
  await hands.follow('customer.not_me');
  await hands.press('customer.act.disown_do');
  await hands.reads('customer.case.stopped');
  assert.equal((await visitor.post('/certificate', { digits })).status, 422);
  await page.goto(`${world.customers}/reissue/${number}/password?show=1`);
  assert.equal(await page.locator('#digits-shown').count(), 0);
  browser.isContent();
});

test('the session warns, goes on, ends, and comes back to the page with its draft', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const context = await browser.context();
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${world.customers}/reissue`);
  const hands = new Hands(page);
  await hands.signIn(hanako);
  await page.locator('input[value=new_pc]').check();
  const dialog = page.locator('dialog#session');
  // The page counts a little less than the server, so that it warns while there is time.
  const idle = Number(await dialog.getAttribute('data-idle'));
  assert.ok(idle > 600 && idle <= 900);
  await page.clock.runFor((idle - 180) * 1_000);
  assert.equal(await dialog.isVisible(), false, 'not yet');
  await page.clock.runFor(75_000);
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /残り1分\d+秒/);
  assert.equal(await page.locator(':focus').innerText(), hands.say('customer.session_go_on'));
  const told = page.waitForResponse((answer) => answer.url().endsWith('/session'));
  await hands.press('customer.session_go_on');
  assert.equal((await told).status(), 204);
  await dialog.waitFor({ state: 'hidden' });
  assert.ok(await page.locator('input[value=new_pc]').isChecked(), 'nothing typed is lost');
  await page.clock.runFor((idle - 110) * 1_000);
  await dialog.waitFor();
  await page.clock.runFor(120_000);
  await hands.reads('customer.sign_in.over');
  await hands.signIn(hanako);
  await hands.arrives('customer.reason.title');
  assert.ok(await page.locator('input[value=new_pc]').isChecked(), 'the draft is back');
  // Somebody else at the same browser finds nothing of it.
  await page.locator('input[value=forgotten]').check();
  await page.clock.runFor((idle + 10) * 1_000);
  await hands.reads('customer.sign_in.over');
  await hands.signIn(ichiro);
  await hands.arrives('customer.reason.title');
  assert.equal(await page.locator('input[name=reason]:checked').count(), 0);
  browser.isContent();
});

test('the server ends an idle session by itself', async (t) => {
  const world = await World.of(t, { settings: { 'security.session_idle_minutes': 1 } });
  const browser = await Browser.of(t, world);
  const page = await signedIn(browser, world, hanako, '/cases', { javaScriptEnabled: false });
  const hands = new Hands(page);
  await hands.arrives('customer.cases.title');
  await new Promise((go) => setTimeout(go, 61_000));
  await page.goto(`${world.customers}/form`);
  await hands.reads('customer.sign_in.over');
  await hands.signIn(hanako);
  await hands.arrives('customer.form3.title');
  browser.isContent();
});

test('after signing out the back button shows nothing', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.holding(t, world, await certificateOf(world, hanako));
  for (const [script, colleague] of [[true, taro], [false, misaki]]) {
    const page = await browser.page({ javaScriptEnabled: script });
    const hands = new Hands(page);
    await page.goto(`${world.members}/settings/users/reissue`);
    await hands.enter(hanako);
    await hands.pick(colleague);
    await hands.type('customer.confirm.password', hanako.order);
    await hands.press('customer.confirm.do');
    await hands.follow('customer.password.show');
    const digits = await digitsOn(page);
    await hands.press('customer.sign_out');
    await hands.reads('customer.sign_in.left');
    await page.goBack();
    await page.locator('#enter').waitFor();
    assert.equal(await page.locator('#digits-shown').count(), 0);
    assert.ok(!(await page.content()).includes(digits));
    await page.context().close();
  }
  browser.isContent();
});

test('a session counts on its own site alone, and only with its certificate', async (t) => {
  const world = await World.of(t);
  const file = await certificateOf(world, hanako);
  const customer = await new Visitor(world).signIn(hanako);
  const member = await new Visitor(world, file).enter(hanako);
  const carried = (from, to) => {
    const names = { '__Host-session': '__Host-member', '__Host-ticket': '__Host-member-ticket' };
    for (const [name, value] of from.cookies) {
      to.cookies.set(name, value);
      for (const [own, other] of Object.entries(names)) {
        if (name === own) to.cookies.set(other, value);
        if (name === other) to.cookies.set(own, value);
      }
    }
    return to;
  };
  const asMember = await carried(customer, new Visitor(world, file)).get('/menu');
  assert.deepEqual([asMember.status, new URL(asMember.location, world.members).pathname], [303, '/']);
  const asCustomer = await carried(member, new Visitor(world)).get('/cases');
  assert.deepEqual(
    [asCustomer.status, new URL(asCustomer.location, world.customers).pathname], [303, '/sign-in'],
  );
  const bare = carried(member, new Visitor(world, undefined, '', world.members));
  assert.equal((await bare.get('/menu')).status, 303, 'without the certificate');
  const others = await certificateOf(world, ichiro);
  const stolen = carried(member, new Visitor(world, others));
  assert.equal((await stolen.get('/menu')).status, 303, 'with a colleague\'s certificate');
  assert.equal((await member.get('/menu')).status, 200);
});

test('a case of another contract is answered exactly like a missing one', async (t) => {
  const world = await World.of(t);
  const { case: theirs } = await (await new Visitor(world).signIn(hanako)).reissue();
  const visitor = await new Visitor(world).signIn(naoko);
  const paths = [
    '/cases/N', '/cases/N/withdraw', '/cases/N/not-me', '/reissue/N', '/reissue/N/password?show=1',
    '/certificate/N', '/certificate/N/chain',
  ];
  // The number as a part of an address only: the names of styles and scripts carry digits too.
  const plain = async (answer, number) => (await answer.text())
    .replaceAll(new RegExp(`(?<=/|&#x2f;)${number}(?=[/?"]|&#x2f;)`, 'g'), 'N')
    .replace(/>[0-9A-Z]{8}</g, '>reference<');
  for (const path of paths) {
    const missing = await visitor.get(path.replace('N', '98765'));
    const found = await visitor.get(path.replace('N', String(theirs)));
    assert.equal(found.status, 404, path);
    assert.equal(missing.status, 404, path);
    assert.equal(await plain(found, theirs), await plain(missing, 98765), path);
  }
  const posts = ['/cases/N/withdraw', '/cases/N/not-me', '/reissue/N/cancel', '/reissue/N/noted'];
  for (const path of posts) {
    assert.equal((await visitor.post(path.replace('N', String(theirs)), { key: 'k' })).status, 404, path);
  }
  const before = await world.case(theirs);
  assert.equal(before.state, 'Tail.Waiting', 'nothing happened to it');
});

test('forms from another origin are refused', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await signedIn(browser, world, hanako, '/certificate');
  const context = page.context();
  const evil = await context.newPage();
  await evil.setContent(
    `<form method="post" action="${world.customers}/reissue"><input name="reason" value="expired">`
    + '<button>go</button></form>',
  );
  const answered = evil.waitForResponse((answer) => answer.url().endsWith('/reissue'));
  await evil.getByRole('button').click();
  assert.equal((await answered).status(), 403);
  assert.equal((await world.cases()).length, 0);
  await page.reload();
  await new Hands(page).arrives('customer.retrieval.title');

  const visitor = await new Visitor(world).signIn(hanako);
  const from = [
    { origin: 'https://evil.example' }, { origin: world.members }, { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site', origin: world.members },
  ];
  for (const headers of from) {
    const answer = await visitor.post('/sign-out', {}, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
  }
  assert.equal((await visitor.get('/cases')).status, 200, 'still signed in');
});
