// DER and PEM against the numbers of X.690 and against OpenSSL's reading.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { load } from './load.mjs';
import { needs, Workbench } from './workbench.mjs';

const key = await load('key.js');
const hex = (octets) => Buffer.from(octets).toString('hex');

test('a length takes the fewest octets', () => {
  const heads = new Map([
    [0, '0400'],
    [1, '0401'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_535, '0482ffff'],
    [65_536, '0483010000'],
  ]);
  for (const [length, head] of heads) {
    const written = key.tlv(0x04, new Uint8Array(length));
    assert.equal(hex(written.slice(0, head.length / 2)), head);
    assert.equal(written.length, head.length / 2 + length);
  }
});

test('an integer is signed and short', () => {
  const written = new Map([
    [0, '020100'],
    [1, '020101'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [32_768, '0203008000'],
    [600_000, '02030927c0'],
    [2 ** 40, '0206010000000000'],
  ]);
  for (const [number, octets] of written) assert.equal(hex(key.integer(number)), octets);
  const unsigned = [
    [[0], '020100'],
    [[0, 0, 5], '020105'],
    [[0, 0x80], '02020080'],
    [[0x80, 0], '0203008000'],
  ];
  for (const [digits, octets] of unsigned) {
    assert.equal(hex(key.unsigned(Uint8Array.from(digits))), octets);
  }
});

test('object identifiers as other standards print them', () => {
  const printed = new Map([
    ['2.5.4.3', '0603550403'],
    ['1.2.840.113549.1.7.1', '06092a864886f70d010701'],
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
    ['2.16.840.1.101.3.4.2.1', '0609608648016503040201'],
    ['2.999.127.128', '060588377f8100'],
  ]);
  for (const [dotted, octets] of printed) assert.equal(hex(key.oid(dotted)), octets);
});

test('OpenSSL reads the same numbers and identifiers', needs('openssl'), (context) => {
  const bench = new Workbench(context);
  for (const number of [0, 127, 128, 65_535, 600_000, 2 ** 45]) {
    bench.write('number.der', key.integer(number));
    const read = bench.openssl('asn1parse', '-inform', 'DER', '-in', 'number.der');
    assert.equal(BigInt(`0x${read.match(/INTEGER\s+:([0-9A-F]+)/)[1]}`), BigInt(number));
  }
  for (const dotted of ['1.3.6.1.4.1.99999.128.16384', '2.999.3']) {
    bench.write('name.der', key.oid(dotted));
    assert.match(
      bench.openssl('asn1parse', '-inform', 'DER', '-in', 'name.der'),
      new RegExp(`:${dotted}\\b`),
    );
  }
});

test('a BMPString has no place for characters above U+FFFF', () => {
  assert.equal(hex(key.bmp('A9あ')), '004100393042');
  assert.equal(hex(key.bmp('')), '');
  assert.throws(() => key.bmp('𠮷野'), RangeError);
});

test('PEM goes there and back, at every length and with anything between the blocks', () => {
  for (const length of [1, 47, 48, 49, 96, 700]) {
    const der = randomBytes(length);
    const text = key.pem('CERTIFICATE', der);
    assert.ok(
      text.split('\n').every((line) => line.length <= 64),
      text,
    );
    assert.ok(!text.includes('\n\n'), text);
    const twice = `subject=somebody\r\n${text.replaceAll('\n', '\r\n')}\nissuer\n${text}`;
    assert.deepEqual(key.certificatesIn(twice).map(hex), [hex(der), hex(der)]);
  }
  assert.deepEqual(key.certificatesIn('nothing'), []);
  assert.deepEqual(key.certificatesIn(key.pem('PRIVATE KEY', randomBytes(9))), []);
});

test('the key of the MAC is what RFC 7292 says, after any number of rounds', async () => {
  // Appendix B.2 step by step with Node's own digest.
  const expected = (password, salt, rounds) => {
    const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
    const fill = (part) => Buffer.alloc(64 * Math.ceil(part.length / 64), part);
    let digest = Buffer.concat([Buffer.alloc(64, 3), fill(salt), fill(text)]);
    for (let round = 0; round < rounds; round += 1)
      digest = createHash('sha256').update(digest).digest();
    return hex(digest);
  };
  for (const rounds of [1, 2, 3, 1_000, 250_000]) {
    for (const password of ['', 'x', 'correct horse 7', '~'.repeat(64)]) {
      const salt = randomBytes(20);
      assert.equal(hex(await key.macKey(password, salt, rounds)), expected(password, salt, rounds));
    }
  }
});
