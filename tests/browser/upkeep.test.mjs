// The ledger's upkeep by two people: an address, a seal and a holiday, proposed by a clerk and
// approved by somebody else; the same person under another account may not.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Browser } from './browser.mjs';
import { atWork, hayashi, inoue, member } from './office.mjs';
import { World } from './world.mjs';

const DESK = { viewport: { width: 1440, height: 960 } };
/** 井上 誠 under his second account. */
const sameInoue = member('clerk1-approver', '井上 誠');

async function approved(page, address) {
  await page.goto(address);
  await page.hands.press('staff.proposal.approve');
  await page.hands.reads('staff.proposal.done');
}

test('an address, a seal and a holiday take two people', async (t) => {
  const world = await World.of(t);
  const browser = await Browser.of(t, world);
  const clerk = await atWork(world, await browser.page(DESK), inoue);
  const same = await atWork(world, await browser.page(DESK), sameInoue);
  const approver = await atWork(world, await browser.page(DESK), hayashi);
  const contract = `${world.staff}/upkeep?contract=0104212345`;
  const addresses = () => world.rows('SELECT a.postal_code FROM addresses a JOIN contracts c ON c.id = a.contract_id '
    + "WHERE c.number = '0104212345' ORDER BY a.version DESC LIMIT 1");

  await clerk.goto(contract);
  await clerk.locator('#postal_code').fill('100-0005');
  await clerk.hands.press('staff.upkeep.propose_address');
  await clerk.locator('#errors').waitFor();
  await clerk.locator('#address').fill('東京都千代田区丸の内二丁目7番1号');
  await clerk.hands.press('staff.upkeep.propose_address');
  await clerk.waitForURL(/\/proposals\/\d+/);
  await same.goto(clerk.url());
  assert.equal(await same.hands.button('staff.proposal.approve').count(), 0, 'two accounts of one person are one');
  assert.notEqual((await addresses())[0].postal_code, '1000005');
  await approved(approver, clerk.url());
  assert.equal((await addresses())[0].postal_code, '1000005');

  await clerk.goto(contract);
  await clerk.locator('#valid_from').fill('2030-04-01');
  const picture = await clerk.locator('h1').screenshot();
  await clerk.locator('#picture').setInputFiles({ name: 'seal.png', mimeType: 'image/png', buffer: picture });
  await clerk.hands.press('staff.upkeep.propose_specimen');
  await clerk.waitForURL(/\/proposals\/\d+/);
  await approver.goto(clerk.url());
  assert.ok(await approver.locator('img.specimen').evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
  await approved(approver, clerk.url());
  const seals = await world.rows('SELECT s.valid_from, s.valid_to FROM specimens s JOIN contracts c ON c.id = s.contract_id '
    + "WHERE c.number = '0104212345' ORDER BY s.valid_from DESC LIMIT 2");
  assert.equal(seals[0].valid_from, '2030-04-01');
  assert.equal(seals[1].valid_to, '2030-03-31');

  await clerk.goto(`${world.staff}/upkeep`);
  await clerk.locator('#day').fill('2027-06-01');
  await clerk.locator('#name').fill('創立記念日');
  await clerk.locator('#source').fill('通達 第12号');
  await clerk.hands.press('staff.upkeep.propose_holiday');
  await clerk.waitForURL(/\/proposals\/\d+/);
  await approved(approver, clerk.url());
  const number = Number(/proposals\/(\d+)/.exec(clerk.url())[1]);
  assert.deepEqual((await world.history(number)).map(({ command }) => command), ['Propose', 'Approve']);
  await clerk.goto(`${world.staff}/upkeep`);
  await clerk.getByText('通達 第12号').first().waitFor();
  await clerk.locator('form:has(input[value="2027-06-01"]) button').click();
  await clerk.waitForURL(/\/proposals\/\d+/);
  await approved(approver, clerk.url());
  assert.deepEqual(await world.rows("SELECT day FROM holidays WHERE day = '2027-06-01'"), []);
  browser.isContent();
});

for (const javaScriptEnabled of [true, false]) {
  test(`a user is added, changed and closed by two people, JavaScript ${javaScriptEnabled}`, async (t) => {
    const world = await World.of(t);
    const browser = await Browser.of(t, world);
    const options = { ...DESK, javaScriptEnabled };
    const clerk = await atWork(world, await browser.page(options), inoue);
    const approver = await atWork(world, await browser.page(options), hayashi);
    const row = async () => (await world.rows("SELECT name, email, status FROM users WHERE user_id = '010429077'"))[0];
    await clerk.goto(`${world.staff}/upkeep?contract=0104212345`);
    await clerk.locator('a[href="/upkeep/contracts/0104212345"]').click();
    await clerk.locator('a[href$="/users/new"]').click();
    await clerk.hands.press('staff.ledger.propose');
    await clerk.locator('#errors').waitFor();
    await clerk.locator('#user_id').fill('010429077');
    await clerk.locator('#name').fill('高木 真');
    await clerk.locator('#kana').fill('タカギ マコト');
    await clerk.hands.press('staff.ledger.propose');
    await clerk.waitForURL(/\/proposals\/\d+/);
    assert.equal(await row(), undefined);
    await approved(approver, clerk.url());
    assert.deepEqual(await row(), { name: '高木 真', email: '', status: 'active' });
    const page = `${world.staff}/upkeep/contracts/0104212345/users/010429077`;
    await clerk.goto(page);
    await clerk.locator('#email').fill('takagi@aoba.example');
    await clerk.hands.press('staff.ledger.propose');
    await clerk.waitForURL(/\/proposals\/\d+/);
    await approved(approver, clerk.url());
    assert.equal((await row()).email, 'takagi@aoba.example');
    await clerk.goto(page);
    await clerk.hands.press('staff.ledger.propose_close_user');
    await clerk.waitForURL(/\/proposals\/\d+/);
    await approver.goto(clerk.url());
    await approver.hands.reads('staff.ledger.effect_closing');
    await approved(approver, clerk.url());
    assert.equal((await row()).status, 'deleted');
    await clerk.goto(page);
    await clerk.hands.reads('staff.ledger.ended');
    browser.isContent();
  });
}
