// The thinking parts of page.js; what a browser must show is tested in a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from './load.mjs';

const page = await load('page.js');

test('digits are tidied, other characters left for the server to refuse', () => {
  assert.equal(page.tidyDigits('０１２ ３４５－678'), '012345678');
  assert.equal(page.tidyDigits('12a４'), '12a4');
  assert.equal(page.tidyDigits(''), '');
});

test('the time left in both languages', () => {
  const japanese = { text: '残り{m}分{s}秒', minutes: '残り{m}分', seconds: '残り{s}秒' };
  const texts = new Map([
    [899, '残り14分59秒'],
    [300, '残り5分'],
    [61, '残り1分1秒'],
    [59, '残り59秒'],
    [0, '残り0秒'],
  ]);
  for (const [left, text] of texts) assert.equal(page.timeLeft(japanese, left), text);
  assert.equal(page.timeLeft({ text: '{m} min {s} s left' }, 300), '5 min 0 s left');
  assert.equal(page.filled('{n} of {all}, {x}', { n: 0, all: 12 }), '0 of 12, {x}');
});

test('the time is spoken at five minutes and one minute, also when ticks were missed', () => {
  const spoken = [];
  for (let left = 400; left > 0; left -= 1) if (page.isSpoken(left + 1, left)) spoken.push(left);
  assert.deepEqual(spoken, [300, 60]);
  assert.ok(page.isSpoken(310, 250) && page.isSpoken(200, 3));
  // A page that opens with four minutes left says nothing by itself.
  assert.ok(!page.isSpoken(240, 240) && !page.isSpoken(59, 58));
});

const field = (name, value, more = {}) => ({
  type: 'text',
  autocomplete: '',
  checked: false,
  dataset: {},
  ...more,
  name,
  value,
});

test('a draft holds no secret', () => {
  const secrets = [
    field('login', 'hunter22', { type: 'password' }),
    field('digits', '0741852307418565', { dataset: { retrieval: '', slip: '…' } }),
    field('otp', '123456', { autocomplete: 'one-time-code' }),
    field('shown', 'hunter22', { autocomplete: 'current-password' }),
    field('chosen', 'hunter22', { autocomplete: 'new-password' }),
    field('phrase', 'sesame', { dataset: { secret: '' } }),
    field('card', '123456', { autocomplete: 'off' }),
    field('csrf', 'token', { type: 'hidden' }),
    field('scan', 'C:\\form.pdf', { type: 'file' }),
    field('go', 'yes', { type: 'submit' }),
    field('', 'nameless'),
  ];
  assert.deepEqual(page.draftOf(secrets), []);
  const kept = [
    field('contract', '1234567890', { dataset: { digits: '' } }),
    field('note', 'x', { type: 'textarea' }),
  ];
  assert.deepEqual(
    page.draftOf(kept).map(({ name }) => name),
    ['contract', 'note'],
  );
});

test('a draft comes back into its fields and into no secret one', () => {
  const typed = () => [
    field('reason', ''),
    field('user', ''),
    field('user', ''),
    field('way', 'online', { type: 'radio', checked: true }),
    field('way', 'paper', { type: 'radio' }),
    field('agree', 'yes', { type: 'checkbox' }),
    field('login', '', { type: 'password' }),
  ];
  const before = typed();
  [before[0].value, before[1].value, before[2].value] = ['機種変更', '010429001', '010429002'];
  [before[3].checked, before[4].checked, before[5].checked] = [false, true, true];
  before[6].value = 'hunter22';
  const stored = JSON.parse(JSON.stringify(page.draftOf(before)));

  // The radio buttons may come in another order, and a field may be gone.
  const after = typed()
    .filter(({ name }) => name !== 'reason')
    .reverse();
  page.restoreDraft(after, stored);
  const found = (name) => after.filter((one) => one.name === name);
  assert.deepEqual(
    found('user').map(({ value }) => value),
    ['010429001', '010429002'],
  );
  assert.deepEqual(
    found('way').map(({ value, checked }) => [value, checked]),
    [
      ['paper', true],
      ['online', false],
    ],
  );
  assert.equal(found('agree')[0].checked, true);
  assert.equal(found('login')[0].value, '');

  // A stored text must not enter a field that has become a secret one.
  const secret = field('user', '', { type: 'password' });
  page.restoreDraft([secret], stored);
  assert.equal(secret.value, '');
});

test('the filter finds a colleague in any spelling', () => {
  const row = '010429002 ﾔﾏﾀﾞ ハナコ 山田 花子 経理部 Manager';
  for (const asked of [
    'やまだ',
    'ヤマダ',
    'ﾊﾅｺ',
    '花子',
    '０１０４２９',
    'MANAGER',
    'ｍａｎａｇｅｒ',
    '経理 やまだ',
    ' 山田　',
    '',
  ]) {
    assert.ok(page.isMatch(row, asked), asked);
  }
  for (const asked of ['すずき', '山田 総務', '010429003'])
    assert.ok(!page.isMatch(row, asked), asked);
  assert.equal(page.folded('ヴﾞゔゞ'), page.folded('ヴ゙ヴヾ'));
});
