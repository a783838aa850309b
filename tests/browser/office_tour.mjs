// Every page of the staff's site in every state, as a chapter of the tour.
import { ken, emily, hanako, misaki, naoko, taro } from './people.mjs';
import {
  atWork, hara, hayashi, helper, inoue, matsumoto, mori, okada, ordered, posted, received, yamaguchi,
} from './office.mjs';

const DESK = { viewport: { width: 1440, height: 960 } };

async function at(guide, person, options = DESK) {
  return atWork(guide.world, await guide.page(options), person, guide.lang);
}

/** The way of a small pile over every desk. */
export async function office(guide) {
  const { world, stop } = guide;
  const browser = guide.browser;
  const door = await guide.page(DESK);
  await door.goto(`${world.staff}/sign-in`);
  await stop('office-sign-in', door);
  await door.locator('a[href^="/sign-in/provider"]').click();
  await door.hands.reads('staff.sign_in.provider_down');
  await stop('office-provider-down', door);
  // That nobody answers there is no fault of the page.
  browser.faults = browser.faults.filter((fault) => !fault.includes('503'));
  await door.goto(`${world.staff}/sign-in/provider/back`);
  await stop('office-provider-over', door);

  const own = await ordered(world, naoko, [[naoko, 'retrieval_reissue', 'expired']]);
  const two = await ordered(world, hanako, [
    [taro, 'retrieval_reissue', 'new_pc'], [ken, 'retrieval_reissue', 'forgotten'],
  ]);
  const other = await ordered(world, hanako, [[misaki, 'login_reset', ''], [emily, 'retrieval_reissue', 'mistyped']]);
  const room = await at(guide, mori);
  await room.goto(`${world.staff}/intake`);
  await stop('intake-empty', room);
  // The two of one company bear one impression: one of them is a copy.
  for (const [form, seed] of [[own, 1], [two, 2], [other, 2]]) {
    await received(room, world, form, await posted(world, browser, form, { seed }));
  }
  await stop('intake-results', room);
  await room.locator('#files').setInputFiles({ name: 'letter.png', mimeType: 'image/png', buffer: await door.screenshot() });
  await room.hands.press('staff.intake.do_scan');
  await room.hands.reads('staff.intake.place_foreign');
  await stop('intake', room);

  const clerk = await at(guide, inoue);
  await clerk.goto(`${world.staff}/queue/check`);
  await stop('queue', clerk);
  await clerk.goto(`${world.staff}/queue/check?kind=paper&part=free`);
  await clerk.locator('input[name=name]').fill(guide.lang === 'ja' ? '書面・担当なし' : 'Paper, free');
  await clerk.hands.press('staff.queue.keep');
  await clerk.hands.reads('staff.queue.filter_kept');
  await stop('queue-filter', clerk);
  await clerk.goto(`${world.staff}/matching`);
  await stop('matching', clerk);
  await clerk.locator('tbody a').first().click();
  await clerk.waitForLoadState('networkidle');
  await stop('match', clerk);
  await clerk.goto(`${world.staff}/queue/check`);
  await clerk.locator('form[action$="/next"] button').click();
  await clerk.locator('.seal-views').waitFor();
  await clerk.waitForLoadState('networkidle');
  await stop('desk', clerk);
  await clerk.keyboard.press('Control+Enter');
  await clerk.locator('#errors').waitFor();
  await stop('desk-not-yet', clerk);
  const [, case_] = /desk\/(\d+)/.exec(clerk.url());
  await clerk.goto(`${world.staff}/desk/${case_}/return`);
  await stop('defects', clerk);
  await clerk.locator('input[name=code_SEAL_UNCLEAR]').check();
  await clerk.locator('input[name=code_DATE]').check();
  await clerk.keyboard.press('Control+Enter');
  await clerk.locator('.sheet-view img').waitFor();
  await clerk.waitForLoadState('networkidle');
  await stop('return', clerk);
  await clerk.goto(`${world.staff}/desk/${case_}`);
  await clerk.locator('input[name=seal][value=match]').check();
  for (const box of await clerk.locator('.looks input').all()) await box.check();
  await clerk.keyboard.press('Control+Enter');
  await clerk.waitForURL(/queue\/check/);

  await clerk.locator('form[action$="/next"] button').click();
  await clerk.locator('.twin-views').waitFor();
  await clerk.waitForLoadState('networkidle');
  await stop('desk-twin', clerk);
  await clerk.hands.press('staff.desk.release');

  const approver = await at(guide, hayashi);
  await approver.goto(`${world.staff}/queue/approve`);
  await stop('queue-approve', approver);
  await approver.locator('form[action$="/next"] button').click();
  await approver.waitForLoadState('networkidle');
  await stop('desk-approve', approver);
  await approver.hands.follow('staff.desk.send_back');
  await approver.waitForURL(/\/back/);
  await stop('back', approver);
  await approver.goBack();
  await approver.locator('input[name=seal][value=match]').check();
  await approver.keyboard.press('Control+Enter');
  await approver.waitForURL(/queue\/approve/);
  await stop('queue-approve-empty', approver);
  await approver.goto(`${world.staff}/tasks`);
  await stop('tasks', approver);

  const post = await at(guide, yamaguchi);
  await world.stands(Number(case_), 'Printed');
  await post.goto(`${world.staff}/dispatch`);
  await stop('dispatch', post);
  await world.print();
  await post.reload();
  await post.locator(`input[name=tracking_${case_}]`).fill('12345678903');
  await post.locator('#counted').fill('1');
  await post.keyboard.press('Enter');
  await post.hands.reads('staff.dispatch.posted', { n: 1 });
  await post.locator('#tracking').fill('12345678903');
  await post.hands.press('staff.dispatch.back');
  await post.locator('#sure').waitFor();
  await stop('dispatch-back', post);
  await post.hands.press('staff.dispatch.sure_do');
  await approver.goto(`${world.staff}/queue/approve`);
  await approver.locator('form[action$="/next"] button').click();
  await approver.waitForLoadState('networkidle');
  await stop('desk-resend', approver);

  const auditor = await at(guide, okada);
  await auditor.goto(`${world.staff}/search?q=${encodeURIComponent('こばやし')}`);
  await stop('search', auditor);
  await auditor.goto(`${world.staff}/audit`);
  await stop('audit', auditor);
  await auditor.goto(`${world.staff}/cases/${case_}`);
  await stop('history', auditor);
  await auditor.goto(`${world.staff}/sign-ins`);
  await stop('sign-ins', auditor);
  const keeper = await at(guide, hara);
  await keeper.goto(`${world.staff}/accounts`);
  await stop('accounts', keeper);
  await keeper.goto(`${world.staff}/accounts/clerk1`);
  await stop('account', keeper);
  await keeper.hands.press('staff.accounts.propose_renew');
  await keeper.waitForURL(/\/proposals\//);
  await stop('proposal-own', keeper);
  await keeper.goto(`${world.staff}/accounts/clerk2`);
  await keeper.locator('#subject').fill('248289761001');
  await keeper.hands.press('staff.accounts.propose_link');
  await keeper.waitForURL(/\/proposals\//);
  await stop('proposal-link', keeper);
  await clerk.goto(`${world.staff}/upkeep?contract=0104212345`);
  await stop('upkeep', clerk);
  await clerk.locator('#postal_code').fill('1000005');
  await clerk.locator('#address').fill('東京都千代田区丸の内二丁目7番1号');
  await clerk.hands.press('staff.upkeep.propose_address');
  await clerk.waitForURL(/\/proposals\//);
  await approver.goto(clerk.url());
  await stop('proposal', approver);
  await clerk.goto(`${world.staff}/masks`);
  await stop('masks-none', clerk);
  await clerk.goto(`${world.staff}/masks/${case_}/0`);
  await clerk.waitForLoadState('networkidle');
  await stop('mask-page', clerk);
  await clerk.locator('#w').fill('');
  await clerk.hands.press('staff.mask.do');
  await clerk.locator('#errors').waitFor();
  await stop('mask-slip', clerk);
  await clerk.locator('#w').fill('25');
  await clerk.hands.press('staff.mask.do');
  await clerk.hands.reads('staff.mask.done');
  await clerk.waitForLoadState('networkidle');
  await stop('mask-laid', clerk);
  await clerk.locator('a[href^="/mask/"]').first().click();
  await clerk.hands.press('staff.mask.ask_see');
  await clerk.hands.reads('staff.mask.decided');
  await stop('mask-asked', clerk);
  await approver.goto(clerk.url());
  await approver.hands.press('staff.mask.allow');
  await approver.hands.reads('staff.mask.shown', { n: 15 });
  await stop('mask-shown', approver);
  await approver.goto(`${world.staff}/masks`);
  await stop('masks', approver);
  const help = await at(guide, helper);
  await help.goto(`${world.staff}/help?q=${encodeURIComponent('こばやし')}`);
  await stop('help', help);
  await help.locator('tbody a').first().click();
  await help.hands.press('staff.help.guide');
  await help.hands.reads('staff.help.done_guided');
  await stop('help-customer', help);
  await clerk.goto(`${world.staff}/upkeep/contracts/new`);
  await clerk.hands.press('staff.ledger.propose');
  await clerk.locator('#errors').waitFor();
  await stop('contract-new', clerk);
  await clerk.goto(`${world.staff}/upkeep/contracts/0104212345`);
  await stop('contract', clerk);
  await clerk.goto(`${world.staff}/upkeep/contracts/0104212345/users/${taro.id}`);
  await stop('contract-user', clerk);
  await clerk.hands.press('staff.ledger.propose_close_user');
  await clerk.waitForURL(/\/proposals\//);
  await approver.goto(clerk.url());
  await stop('proposal-user', approver);
  const lead = await at(guide, matsumoto);
  await lead.goto(`${world.staff}/holds?case=${case_}`);
  await stop('holds', lead);
  await lead.hands.press('staff.holds.propose');
  await lead.locator('#errors').waitFor();
  await stop('holds-slip', lead);
  await lead.locator('#reference').fill('令和8年(ワ)第101号');
  await lead.locator('#reason').fill('裁判所の照会のため');
  await lead.hands.press('staff.holds.propose');
  await lead.waitForURL(/\/proposals\//);
  await approver.goto(lead.url());
  await approver.hands.press('staff.proposal.approve');
  await approver.hands.reads('staff.proposal.done');
  await stop('proposal-hold', approver);
  await lead.goto(`${world.staff}/holds`);
  await stop('holds-in-force', lead);
  await lead.goto(`${world.staff}/cases/${case_}`);
  await stop('history-held', lead);
  await lead.goto(`${world.staff}/dashboard`);
  await stop('dashboard', lead);
  await lead.goto(`${world.staff}/desk/${case_}`);
  await lead.waitForLoadState('networkidle');
  await stop('desk-read', lead);
}
