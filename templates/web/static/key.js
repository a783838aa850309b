// Makes the customer's key in the browser, asks the bank for the certificate and packs both into a
// .p12 file, so that the key never leaves the customer's machine. Where this script cannot run, the
// form goes to the server as it is and the key is made there.
//
// form[data-key]        the retrieval: `digits`, hidden `csr`; if wished `p12_password`, `…_again`
// form[data-key-again]  the same without digits: a new request within the window
//   data-subject, data-alias, data-filename        what request and file are called
//   data-making, -asking, -waiting, -packing, -ready, -failed   said in its own [role=status]
//   data-mismatch, -weak, -plain                   said beside a password field
//   data-save                                      the words of the link that saves once more
//   data-lost, -again, -again-text                 the way out once the digits are spent; {case}
//   data-guide                                     the section shown at the end
//   data-stale                                     what is no longer true once the server answered

/** What stands between a thief of the file and its key; the most that NSS still opens. */
const ROUNDS = 600_000;
/** With the manual's empty password rounds protect nothing. */
const ROUNDS_EMPTY = 2_048;
/** A chosen password's least length, and the characters that every reader encodes alike. */
const SHORTEST = 8;
const PLAIN = /^[ -~]{1,64}$/;
/** How often the chain is asked for: about 100 seconds in all. */
const TRIES = 40;

// ---------------------------------------------------------------------------------- the form

const running = new WeakSet();

/** Does nothing where WebCrypto is missing, so that the browser submits the form by itself. */
async function retrieve(event) {
  const form = event.currentTarget;
  if (event.defaultPrevented) return;
  const password = chosenPassword(form);
  if (password !== null && !globalThis.crypto?.subtle) return;
  event.preventDefault();
  if (password === null || running.has(form)) return;
  running.add(form);
  try {
    await run(form, password);
  } finally {
    running.delete(form);
  }
}

async function run(form, password) {
  const words = form.dataset;
  let key;
  let csr;
  try {
    say(form, words.making);
    key = await makeKey();
    csr = pem('CERTIFICATE REQUEST', await makeRequest(key, words.subject));
    // Rehearsed before the digits are spent: a browser that cannot pack must not ask.
    await keySafe(key, [], password, 1);
  } catch {
    // Not the form's own method: it would come here again. Nothing has been sent yet.
    HTMLFormElement.prototype.submit.call(form);
    return;
  }
  say(form, words.asking);
  const target = new URL(form.getAttribute('action') ?? '', location.href);
  const answer = await ask(target, fieldsToSend(form, csr));
  document.getElementById(words.stale)?.remove();
  if (answer.elsewhere) location.assign(answer.elsewhere);
  else if (answer.refused) tellRefused(form, answer.refused);
  else if (!answer.chain) tellLost(form);
  else await pack(form, key, password, answer);
}

/** The retrieval password is used now: every failure must end at the way to fetch again. */
async function pack(form, key, password, answer) {
  const words = form.dataset;
  try {
    const chain = await awaitChain(new URL(answer.chain, location.href), {
      waiting: () => say(form, words.waiting ?? words.asking),
    });
    say(form, words.packing);
    const alias = words.alias ?? words.subject;
    offer(form, await makeBundle(key, chain, alias, password));
  } catch {
    tellLost(form, answer.case);
  }
}

/** Everything but the file's password, which is nobody's but the customer's. */
function fieldsToSend(form, csr) {
  const fields = new URLSearchParams(new FormData(form));
  fields.delete('p12_password');
  fields.delete('p12_password_again');
  fields.set('csr', csr);
  return fields;
}

/** The password for the file, empty by the manual; null when the customer must mend it first. */
function chosenPassword(form) {
  const first = form.querySelector('[name=p12_password]');
  const again = form.querySelector('[name=p12_password_again]');
  if (!first) return '';
  const fault = passwordFault(first.value, again?.value ?? first.value);
  const text = fault ? form.dataset[fault] ?? form.dataset.failed : '';
  complain(first, fault === 'mismatch' ? '' : text);
  if (again) complain(again, fault === 'mismatch' ? text : '');
  return fault ? null : first.value;
}

/** The name of the words that say what is wrong with the password, or null. */
export function passwordFault(password, again) {
  if (password !== '' && !PLAIN.test(password)) return 'plain';
  if (password !== '' && password.length < SHORTEST) return 'weak';
  return password === again ? null : 'mismatch';
}

/** Says beside a field what is wrong with it; an empty text takes that back. */
function complain(field, text = '') {
  const id = `${field.id || field.name}-error`;
  const note = document.getElementById(id) ?? document.createElement('p');
  note.textContent = text;
  note.hidden = text === '';
  field.setAttribute('aria-invalid', text !== '');
  if (note.id === '') {
    Object.assign(note, { id, className: 'mistake' });
    const others = field.getAttribute('aria-describedby') ?? '';
    field.setAttribute('aria-describedby', `${others} ${id}`.trim());
    field.after(note);
  }
  if (text !== '') field.focus();
}

function say(form, text) {
  form.querySelector('[role=status]').textContent = text ?? '';
}

function tellRefused(form, { error, next }) {
  if (next) {
    location.assign(next);
    return;
  }
  const text = error ?? form.dataset.failed ?? '';
  const digits = form.querySelector('[name=digits]');
  say(form, digits ? '' : text);
  if (digits) complain(digits, text);
}

/** Without an answer nobody knows whether the digits were spent; this page, asked anew, does. */
function tellLost(form, number) {
  const words = form.dataset;
  say(form, words.lost);
  const link = document.createElement('a');
  const again = number === undefined ? '' : words.again?.replace('{case}', number);
  link.href = again || location.pathname;
  link.textContent = words.againText ?? words.lost ?? link.href;
  showOnly(form, link);
}

/** Saves the file, leaves a link to save it again, and forgets it when the page is left. */
function offer(form, bundle) {
  const words = form.dataset;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bundle], { type: 'application/x-pkcs12' }));
  link.download = words.filename ?? 'certificate.p12';
  link.textContent = words.save ?? link.download;
  showOnly(form, link);
  link.click();
  say(form, words.ready);
  const guide = document.getElementById(words.guide);
  if (guide) guide.hidden = false;
  addEventListener('pagehide', () => {
    URL.revokeObjectURL(link.href);
    link.remove();
  }, { once: true });
  // Coming back, the server knows whether the file can still be fetched.
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}

/** The form has done its work: its secrets go, and the one next step takes the focus. */
function showOnly(form, link) {
  const status = form.querySelector('[role=status]');
  form.reset();
  for (const part of form.children) part.hidden = !part.contains(status);
  link.className = 'button';
  status.after(link);
  link.focus();
}

// -------------------------------------------------------------------------- asking the server

/** Sends the form once: {case, chain}, {refused}, {elsewhere}, or {} when nobody knows. */
export async function ask(target, fields) {
  try {
    const answer = await fetch(target, {
      method: 'POST', body: fields, headers: { Accept: 'application/json' },
      credentials: 'same-origin', cache: 'no-store',
    });
    // The session is over, and with it the request: the server leads to its sign-in.
    if (answer.redirected) return { elsewhere: answer.url };
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 200 && said.chain) {
      tellOtherTabs();
      return { case: said.case, chain: said.chain };
    }
    if (answer.status >= 400 && answer.status < 500) return { refused: said };
  } catch {
    // The connection broke before or after the server acted.
  }
  return {};
}

/** An answer prolongs the session: the warning in every tab starts anew. */
function tellOtherTabs() {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel('session');
  channel.postMessage('alive');
  channel.close();
}

/** The certificate's chain, leaf first, asked for until it is made. */
export async function awaitChain(address, { pause = wait, waiting = () => {} } = {}) {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const answer = await fetch(address, {
      headers: { Accept: 'application/x-pem-file' }, credentials: 'same-origin', cache: 'no-store',
    }).catch(() => null);
    if (answer?.status === 200) {
      const chain = certificatesIn(await answer.text());
      if (chain.length > 0) return chain;
      throw new Error('an answer without certificates');
    }
    if (answer && answer.status !== 202 && answer.status < 500) break;
    if (attempt === 5) waiting();
    await pause(Math.min(250 * 1.3 ** attempt, 3_000));
  }
  throw new Error('no chain');
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// ------------------------------------------------------- the request: PKCS#10, RFC 2986 and 5480

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };

/** Extractable, because it must go into the file; it stays in this page's memory. */
export function makeKey() {
  return crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}

/** CertificationRequest: version 0, the user as common name, the public key, no attributes. */
export async function makeRequest(key, subject) {
  const publicKey = octets(await crypto.subtle.exportKey('spki', key.publicKey));
  const info = sequence(integer(0), commonName(subject), publicKey, tlv(0xa0));
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const pair = octets(await crypto.subtle.sign(algorithm, key.privateKey, info));
  const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  return sequence(info, ecdsaWithSha256, bitString(signature(pair)));
}

function commonName(text) {
  return sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, new TextEncoder().encode(text)))));
}

/** Ecdsa-Sig-Value (RFC 3279): two numbers, where WebCrypto gives r and s side by side. */
function signature(pair) {
  return sequence(unsigned(pair.subarray(0, 32)), unsigned(pair.subarray(32)));
}

// ---------------------------------------------------------------- the file: PKCS#12, RFC 7292

const DATA = '1.2.840.113549.1.7.1';

/** PFX: the encrypted certificates, the encrypted key, and a MAC over both. */
export async function makeBundle(key, chain, alias, password, rounds) {
  const count = rounds ?? (password === '' ? ROUNDS_EMPTY : ROUNDS);
  if (!contains(chain[0], octets(await crypto.subtle.exportKey('spki', key.publicKey)))) {
    throw new Error('a certificate of another key');
  }
  const attributes = set(friendlyName(alias), await localKeyId(chain[0]));
  const certificates = await certificateSafe(chain, attributes, password, count);
  const safe = sequence(certificates, await keySafe(key, attributes, password, count));
  const authenticated = sequence(oid(DATA), explicit(octetString(safe)));
  return sequence(integer(3), authenticated, await macData(safe, password, count));
}

/** EncryptedData (RFC 5652, 8) with one CertBag for each certificate; the leaf's names its key. */
async function certificateSafe(chain, attributes, password, rounds) {
  const bags = chain.map((certificate, position) => {
    const x509 = sequence(oid('1.2.840.113549.1.9.22.1'), explicit(octetString(certificate)));
    const names = position === 0 ? [attributes] : [];
    return sequence(oid('1.2.840.113549.1.12.10.1.3'), explicit(x509), ...names);
  });
  const { algorithm, encrypted } = await encrypt(sequence(...bags), password, rounds);
  const content = sequence(oid(DATA), algorithm, tlv(0x80, encrypted));
  return sequence(oid('1.2.840.113549.1.7.6'), explicit(sequence(integer(0), content)));
}

/** Data with a PKCS8ShroudedKeyBag: EncryptedPrivateKeyInfo around an RFC 5915 key (RFC 5958). */
async function keySafe(key, attributes, password, rounds) {
  const plain = octets(await crypto.subtle.exportKey('pkcs8', key.privateKey));
  const { algorithm, encrypted } = await encrypt(plain, password, rounds);
  plain.fill(0);
  const shrouded = sequence(algorithm, octetString(encrypted));
  const bag = sequence(oid('1.2.840.113549.1.12.10.1.2'), explicit(shrouded), attributes);
  return sequence(oid(DATA), explicit(octetString(sequence(bag))));
}

function friendlyName(alias) {
  return sequence(oid('1.2.840.113549.1.9.20'), set(tlv(0x1e, bmp(alias))));
}

/** Key and certificate find each other by this; every reader takes any octets. */
async function localKeyId(certificate) {
  const print = octets(await crypto.subtle.digest('SHA-256', certificate));
  return sequence(oid('1.2.840.113549.1.9.21'), set(octetString(print)));
}

/** PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256, then AES-256-CBC. */
async function encrypt(plain, password, rounds) {
  const salt = random(16);
  const iv = random(16);
  // HMAC fills keys with zeros: one zero octet is the empty password, which some browsers refuse.
  const raw = new TextEncoder().encode(password || '\0');
  const secret = await crypto.subtle.importKey('raw', raw, 'PBKDF2', false, ['deriveKey']);
  const derivation = { name: 'PBKDF2', salt, iterations: rounds, hash: 'SHA-256' };
  const cipher = { name: 'AES-CBC', length: 256 };
  const key = await crypto.subtle.deriveKey(derivation, secret, cipher, false, ['encrypt']);
  const encrypted = octets(await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, plain));
  const hmacWithSha256 = sequence(oid('1.2.840.113549.2.9'), tlv(0x05));
  const pbkdf2 = sequence(octetString(salt), integer(rounds), hmacWithSha256);
  const algorithm = sequence(oid('1.2.840.113549.1.5.13'), sequence(
    sequence(oid('1.2.840.113549.1.5.12'), pbkdf2),
    sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(iv)),
  ));
  return { algorithm, encrypted };
}

/** MacData: HMAC-SHA-256 over the safe under a key of its own. It must cost a guesser as many
 *  rounds as the encryption, or it would be the cheap way round it. */
async function macData(safe, password, rounds) {
  const salt = random(20);
  const raw = await macKey(password, salt, rounds);
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', raw, hmac, false, ['sign']);
  const mac = octets(await crypto.subtle.sign('HMAC', key, safe));
  const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'), tlv(0x05));
  return sequence(sequence(sha256, octetString(mac)), octetString(salt), integer(rounds));
}

/** RFC 7292, appendix B.2, with ID 3 and SHA-256, whose output is just as long as the key. */
export async function macKey(password, salt, rounds) {
  const fill = (text) => Uint8Array.from(
    { length: 64 * Math.ceil(text.length / 64) }, (_, at) => text[at % text.length],
  );
  const diversifier = new Uint8Array(64).fill(3);
  const start = join(diversifier, fill(salt), fill(join(bmp(password), [0, 0])));
  return digestRepeatedly(octets(await crypto.subtle.digest('SHA-256', start)), rounds - 1);
}

// --------------------------------------------------------------------- SHA-256, FIPS 180-4

// WebCrypto answers each digest through a queue: 600,000 of them take half a minute, these about a
// second. Nothing else is hashed here.
const START = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const ROUND_KEYS = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/** Hashes 32 octets, then the result, and so on; lets the page breathe in between. */
async function digestRepeatedly(input, times) {
  const view = new DataView(input.slice().buffer);
  const words = new Int32Array(64);
  for (let at = 0; at < 8; at += 1) words[at] = view.getInt32(4 * at);
  for (let round = 1; round <= times; round += 1) {
    digestEight(words);
    if (round % 100_000 === 0) await wait(0);
  }
  for (let at = 0; at < 8; at += 1) view.setInt32(4 * at, words[at]);
  return octets(view.buffer);
}

/** Replaces the first eight words by their digest; the others are the message schedule. */
function digestEight(words) {
  // The padding of a message of 32 octets: one bit, zeros, the length of 256 bits.
  words[8] = 0x80000000;
  words.fill(0, 9, 15);
  words[15] = 256;
  for (let at = 16; at < 64; at += 1) {
    const [early, late] = [words[at - 15], words[at - 2]];
    const small = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const large = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[at] = words[at - 16] + small + words[at - 7] + large;
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let at = 0; at < 64; at += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const mixed = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const first = (h + mixed + choice + ROUND_KEYS[at] + words[at]) | 0;
    const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority;
    // One by one, since this runs forty million times.
    h = g; g = f; f = e; e = (d + first) | 0;
    d = c; c = b; b = a; a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => {
    words[at] = word + START[at];
  });
}

const turn = (word, by) => (word >>> by) | (word << (32 - by));

// ------------------------------------------------------------------------------ DER, X.690

/** A tag, a length in the fewest octets, the value. */
export function tlv(tag, ...parts) {
  const value = join(...parts);
  const digits = digitsOf(value.length, 256);
  const length = value.length < 128 ? digits : [0x80 | digits.length, ...digits];
  return join([tag], length, value);
}

/** A number's digits to a base, the most significant first, at least one. */
function digitsOf(number, base) {
  const higher = Math.floor(number / base);
  return higher === 0 ? [number] : [...digitsOf(higher, base), number % base];
}

const sequence = (...parts) => tlv(0x30, ...parts);
const set = (...parts) => tlv(0x31, ...parts);
const explicit = (value) => tlv(0xa0, value);
const octetString = (value) => tlv(0x04, value);
const bitString = (value) => tlv(0x03, [0], value);

export function integer(number) {
  return unsigned(digitsOf(number, 256));
}

/** INTEGER is signed: no zeros in front, but one where the first bit is set. */
export function unsigned(digits) {
  let from = 0;
  while (from < digits.length - 1 && digits[from] === 0) from += 1;
  const short = digits.slice(from);
  return tlv(0x02, short[0] & 0x80 ? [0] : [], short);
}

/** The first two arcs share a number; each is written to the base 128, the first bit meaning that
 *  more follows. */
export function oid(text) {
  const [first, second, ...rest] = text.split('.').map(Number);
  return tlv(0x06, ...[40 * first + second, ...rest].map((arc) => {
    const digits = digitsOf(arc, 128);
    return digits.map((digit, at) => (at < digits.length - 1 ? 0x80 | digit : digit));
  }));
}

/** BMPString has two octets for a character and no place for those above U+FFFF. */
export function bmp(text) {
  if (/[\ud800-\udfff]/.test(text)) throw new RangeError('a character outside the BMP');
  return join(...Array.from(text, (letter) => [letter.charCodeAt(0) >> 8, letter.charCodeAt(0)]));
}

// --------------------------------------------------------------------------- octets and PEM

const octets = (buffer) => new Uint8Array(buffer);
const random = (count) => crypto.getRandomValues(new Uint8Array(count));

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function contains(whole, part) {
  return whole.some((_, at) => part.every((octet, offset) => octet === whole[at + offset]));
}

/** PEM (RFC 7468), lines of 64 characters. */
export function pem(label, der) {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g);
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** The certificates in a PEM text, whatever stands between them. */
export function certificatesIn(text) {
  const blocks = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
  return Array.from(text.matchAll(blocks), ([, body]) =>
    Uint8Array.from(atob(body.replace(/\s/g, '')), (letter) => letter.charCodeAt(0)));
}

if (typeof document !== 'undefined') {
  for (const form of document.querySelectorAll('form[data-key], form[data-key-again]')) {
    form.addEventListener('submit', retrieve);
  }
}
