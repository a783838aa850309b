// What goes wrong between two pages: scenarios of the domain that customers can run into.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { Browser } from './browser.mjs';
import { Hands } from './hands.mjs';
import { cardOf, hanako, ichiro, naoko, taro } from './people.mjs';
import { stamp } from './seal.mjs';
import { Visitor, certificateOf } from './visitor.mjs';
import { World } from './world.mjs';

const run = promisify(execFile);

function passwordsOf(world, person) {
  const user = `(SELECT id FROM users WHERE user_id = '${person.id}')`;
  return world.rows(`SELECT id, state, channel FROM retrieval_passwords WHERE user_id = ${user}`);
}

test('S4: the administrator\'s own certificate ceases to count between confirmation and issue', async (t) => {
  const world = await World.of(t);
  const file = await certificateOf(world, hanako);
  const other = await new Visitor(world, await certificateOf(world, ichiro)).enter(ichiro);
  const browser = await Browser.holding(t, world, file);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.members}/settings/users/reissue`);
  await hands.enter(hanako);
  await hands.pick(taro);
  await hands.type('customer.confirm.password', hanako.order);
  // A reissue for her holds the certificate that she has: the same as if it had expired.
  await other.reissueFor(hanako);
  await hands.press('customer.confirm.do');
  await hands.arrives('web.certificate.held_title');
  await hands.reads('web.certificate.held_do1');
  assert.deepEqual(await passwordsOf(world, taro), []);
  const [{ case: number }] = (await world.cases('delegated')).filter((one) => one.state === 'Confirming');
  assert.ok(number, 'the case waits and lapses by the clock');
  // The other administrator sees where it stands, and who is at it.
  const answer = await other.post('/settings/users/reissue', {
    key: 'another', reason: 'expired', user_id: taro.id,
  });
  assert.equal(answer.location, `/cases/${number}`);
  browser.isContent();
});

test('S6: the contract is closed between two pages', async (t) => {
  const world = await World.of(t);
  const file = await certificateOf(world, ichiro);
  const browser = await Browser.holding(t, world, file);
  const own = await browser.page();
  const hands = new Hands(own);
  await own.goto(`${world.customers}/reissue`);
  await hands.signIn(hanako);
  await own.locator('input[value=expired]').check();
  await hands.press('customer.reason.do');
  await hands.type('customer.own.card', await cardOf(world, hanako));
  await hands.press('customer.own.card_do');
  await hands.arrives('customer.own.ready_title');
  const forTaro = await browser.page();
  const other = new Hands(forTaro);
  await forTaro.goto(`${world.members}/settings/users/reissue`);
  await other.enter(ichiro);
  await other.pick(taro);
  await other.type('customer.confirm.password', ichiro.order);

  await world.rewrite('contracts.csv', 'bizstation,active', 'bizstation,closed');
  await world.import('contracts.csv');
  const opening = own.context().waitForEvent('page');
  await hands.press('customer.own.show');
  const shown = await opening;
  await shown.locator('main h1').waitFor();
  assert.equal(await shown.locator('#digits-shown').count(), 0);
  await other.press('customer.confirm.do');
  await forTaro.locator('main h1').waitFor();
  assert.equal(await forTaro.locator('#digits-shown').count(), 0);
  assert.deepEqual(await passwordsOf(world, hanako), []);
  assert.deepEqual(await passwordsOf(world, taro), []);
  // Nobody of the contract signs in; the answer is that of any other failure.
  const page = await browser.page();
  await page.goto(`${world.customers}/sign-in`);
  await new Hands(page).signIn(hanako);
  await new Hands(page).reads('customer.sign_in.not_accepted');
  browser.isContent();
});

test('S7: paper and self at the same minute: one password counts, and both cases say how they ended', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const page = await browser.page();
  const hands = new Hands(page);
  await page.goto(`${world.customers}/form`);
  await hands.signIn(naoko);
  await page.locator(`input[name="${naoko.id}.retrieval_reissue"]`).check();
  await page.locator(`input[name="${naoko.id}.reason.expired"]`).check();
  const download = page.waitForEvent('download');
  await hands.press('customer.form3.do');
  const form = join(world.folder, 'form.pdf');
  await (await download).saveAs(form);
  const paper = await intake(world, browser, form);

  // The form is approved and its letter posted while she reissues for herself.
  const visitor = await new Visitor(world).signIn(naoko);
  const [own] = await Promise.all([visitor.reissue(), approve(world, paper)]);
  await world.until('one of the two is over', async () => {
    const cases = await Promise.all([world.case(paper), world.case(own.case)]);
    return cases.some((one) => one.ended_at);
  });
  const live = (await passwordsOf(world, naoko)).filter(({ state }) => state === 'active');
  assert.ok(live.length <= 1, JSON.stringify(live));
  for (const number of [paper, own.case]) {
    await page.goto(`${world.customers}/cases/${number}`);
    const { state } = await world.case(number);
    await page.locator('.chip.big').waitFor();
    assert.notEqual(state, 'Frozen');
  }
  // The digits of the case that still lives lead to a certificate.
  if (live[0]?.channel === 'self_service') {
    const file = await visitor.fetch(own.digits);
    const welcome = await new Visitor(world, file).get('/', { accept: 'application/json' });
    assert.equal(JSON.parse(welcome.text()).visit, 'welcome');
  } else {
    assert.equal((await visitor.post('/certificate', { digits: own.digits })).status, 422);
  }
  browser.isContent();
});

/** What the mail room does with the stamped form; gives the case that came of it. */
async function intake(world, browser, form) {
  const picture = join(world.folder, 'page');
  await run('pdftoppm', ['-r', '180', '-f', '1', '-l', '1', '-png', '-singlefile', form, picture]);
  const scan = await readFile(await stamp(world, browser, `${picture}.png`, 'mizuiro'));
  const [row] = await world.rows('SELECT number FROM submissions');
  const number = String(row.number).padStart(12, '0');
  await writeFile(join(world.folder, 'scan.png'), scan);
  const login = 'uketsuke';
  await world.call({ do: 'receive', login, number, carrier: '普通郵便', pages: 1 });
  const files = [scan.toString('base64')];
  await world.call({ do: 'scan', login, number, files });
  const { cases: [case_] } = await world.until('the case of the form', async () => {
    const found = await world.call({ do: 'cases_of', number });
    return found.cases.length > 0 ? found : null;
  });
  await world.stands(case_, 'Identified');
  return case_;
}

async function approve(world, case_) {
  const act = (login, role, command) =>
    world.call({ do: 'paper', login, role, case: case_, command, id: `${login}-${JSON.stringify(command)}` });
  await world.call({ do: 'view_case', login: 'clerk1', role: 'clerk', case: case_ });
  await act('clerk1', 'clerk', 'Check');
  await act('clerk1', 'clerk', 'MatchSeal');
  await world.call({ do: 'view_case', login: 'approver1', role: 'approver', case: case_ });
  await act('approver1', 'approver', 'Approve').catch(() => null);
}
