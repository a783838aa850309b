// The people of the sample ledger and their secrets, as samples/README.md writes them down.
import { createHash, createHmac } from 'node:crypto';

const AOBA = '0104212345';
const MIZUIRO = '0207054321';

function person(contract, id, name, mail, more = {}) {
  return { contract, id, name, mail, login: `login-${id}`, order: `order-${id}`, ...more };
}

/** Of 株式会社 青葉製作所; the first two hold the authority. */
export const hanako = person(AOBA, '010429001', '佐藤 花子', 'hanako.sato@aoba.example');
export const ichiro = person(AOBA, '010429002', '鈴木 一郎', 'ichiro.suzuki@aoba.example');
export const taro = person(AOBA, '010429003', '山田 太郎', 'taro.yamada@aoba.example', {
  department: '材料部',
});
export const misaki = person(AOBA, '010429004', '田中 美咲', 'misaki.tanaka@aoba.example', {
  department: '営業部',
  title: '主任',
});
export const ken = person(AOBA, '010429005', '高橋 健', 'ken.takahashi@aoba.example');
export const emily = person(AOBA, '010429006', 'Emily Carter', 'emily.carter@aoba.example');
/** Of 合同会社 みずいろ珈琲; the first holds the authority. */
export const naoko = person(MIZUIRO, '020705001', '小林 直子', 'naoko@mizuiro.example');
export const tsubasa = person(MIZUIRO, '020705002', '渡辺 翼', 'tsubasa@mizuiro.example');

export const everybody = [hanako, ichiro, taro, misaki, ken, emily, naoko, tsubasa];

/** The seed of a person's card. */
export function seedOf(person) {
  return person.seed ?? createHash('sha256').update(`card-${person.id}`).digest().subarray(0, 20);
}

/** What a person's card showed in a time step (RFC 6238). */
function shownAt(person, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', seedOf(person)).update(counter).digest();
  const offset = digest[19] & 15;
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

const lastSteps = new WeakMap();

/**
 * The next number of a person's card that the given world has not seen. A number counts once; the
 * server allows cards that are half a minute fast, so the next one need not be waited for. The
 * third number within half a minute has to be.
 */
export async function cardOf(world, person) {
  const seen = lastSteps.get(world) ?? new Map();
  lastSteps.set(world, seen);
  const now = () => Math.floor(Date.now() / 30_000);
  const last = seen.get(person.id) ?? now() - 1;
  const step = Math.max(last + 1, now());
  seen.set(person.id, step);
  while (step > now() + 1) await new Promise((resolve) => setTimeout(resolve, 500));
  return shownAt(person, step);
}

/** A number that the card shows in none of the steps that could count. */
export function wrongCardOf(person) {
  const now = Math.floor(Date.now() / 30_000);
  const near = [-2, -1, 0, 1, 2].map((drift) => shownAt(person, now + drift));
  for (let number = 0; ; number += 1) {
    const wrong = String(number).padStart(6, '0');
    if (!near.includes(wrong)) return wrong;
  }
}
