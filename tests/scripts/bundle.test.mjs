// The request and the file that key.js makes, judged by OpenSSL, NSS and GnuTLS.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { load } from './load.mjs';
import { needs, Workbench } from './workbench.mjs';

const script = await load('key.js');
const PASSWORDS = ['', 'correct horse 7'];

/** Key, request, certificate and `user.p12`, as after a retrieval. */
async function retrieve(bench, password) {
  const key = await script.makeKey();
  const request = script.pem('CERTIFICATE REQUEST', await script.makeRequest(key, '010429001'));
  const chain = script.certificatesIn(bench.certify(request));
  assert.equal(chain.length, 3);
  bench.write('user.p12', await script.makeBundle(key, chain, '010429001', password));
  return { key, chain };
}

test('OpenSSL verifies the request and reads the user in it', needs('openssl'), async (context) => {
  const bench = new Workbench(context);
  // Some of many signatures have a first bit set or a zero in front.
  for (let turn = 0; turn < 40; turn += 1) {
    const key = await script.makeKey();
    const request = await script.makeRequest(key, '利用者 010429001');
    bench.write('client.csr', script.pem('CERTIFICATE REQUEST', request));
    const said = bench.openssl(
      'req',
      '-in',
      'client.csr',
      '-noout',
      '-verify',
      '-subject',
      '-text',
      '-nameopt',
      'utf8,sep_comma_plus',
    );
    assert.match(said, /verify OK/);
    assert.match(said, /CN=利用者 010429001/);
    assert.match(said, /ASN1 OID: prime256v1/);
    assert.match(said, /ecdsa-with-SHA256/);
    request[request.length - 1] ^= 1;
    bench.write('client.csr', script.pem('CERTIFICATE REQUEST', request));
    assert.doesNotMatch(
      bench.run('openssl', 'req', '-in', 'client.csr', '-noout', '-verify').said,
      /verify OK/,
    );
  }
});

test(
  'OpenSSL opens every file and finds key, chain and alias',
  needs('openssl'),
  async (context) => {
    const bench = new Workbench(context);
    for (const password of PASSWORDS) {
      const { key } = await retrieve(bench, password);
      const open = ['pkcs12', '-in', 'user.p12', '-nodes', '-info', '-passin'];
      const said = bench.openssl(...open, `pass:${password}`);
      const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key.privateKey));
      assert.ok(said.includes(script.pem('PRIVATE KEY', pkcs8)), 'the key is another one');
      assert.equal(said.match(/BEGIN CERTIFICATE/g).length, 3);
      assert.equal(said.match(/friendlyName: 010429001/g).length, 2);
      const [identifier, same] = [...said.matchAll(/localKeyID: ([0-9A-F ]+)/g)].map(
        ([, octets]) => octets,
      );
      assert.equal(identifier, same);
      assert.match(said, /MAC: sha256/);
      assert.equal(said.match(/PBES2, PBKDF2, AES-256-CBC/g).length, 2);
      assert.equal(said.match(/PRF hmacWithSHA256/g).length, 2);
      // Encryption and MAC alike: a guesser takes the cheaper one.
      const rounds = password === '' ? 2_048 : 600_000;
      assert.equal(said.match(new RegExp(`Iteration ${rounds}\\b`, 'g')).length, 3);
      assert.match(bench.refuses('openssl', ...open, 'pass:wrong'), /invalid password/);
      bench.openssl(
        'verify',
        '-purpose',
        'sslclient',
        '-CAfile',
        'root.pem',
        '-untrusted',
        'issuing.pem',
        'client.pem',
      );
    }
  },
);

test('a file with one changed octet is noticed', needs('openssl'), async (context) => {
  const bench = new Workbench(context);
  const { key, chain } = await retrieve(bench, '');
  const bundle = await script.makeBundle(key, chain, '010429001', '');
  bundle[Math.floor(bundle.length / 2)] ^= 1;
  bench.write('user.p12', bundle);
  bench.refuses('openssl', 'pkcs12', '-in', 'user.p12', '-nodes', '-passin', 'pass:');
});

test(
  'NSS imports every file under the alias',
  needs('openssl', 'certutil', 'pk12util'),
  async (context) => {
    const bench = new Workbench(context);
    for (const [at, password] of PASSWORDS.entries()) {
      await retrieve(bench, password);
      mkdirSync(join(bench.folder, `store${at}`));
      const store = `sql:store${at}`;
      bench.accepts('certutil', '-N', '-d', store, '--empty-password');
      bench.refuses('pk12util', '-i', 'user.p12', '-d', store, '-W', 'wrong');
      bench.accepts('pk12util', '-i', 'user.p12', '-d', store, '-W', password);
      assert.match(bench.accepts('certutil', '-K', '-d', store), /\bec\b.*010429001/);
      const listed = bench.accepts('certutil', '-L', '-d', store);
      assert.match(listed, /010429001\s+u,u,u/);
      assert.equal(listed.match(/,,\s*$/gm).length, 2, listed);
      bench.accepts('certutil', '-A', '-d', store, '-n', 'trusted', '-t', 'CT,,', '-i', 'root.pem');
      assert.match(
        bench.accepts('certutil', '-V', '-d', store, '-n', '010429001', '-u', 'C'),
        /is valid/,
      );
    }
  },
);

test('GnuTLS opens every file', needs('openssl', 'certtool'), async (context) => {
  const bench = new Workbench(context);
  for (const password of PASSWORDS) {
    await retrieve(bench, password);
    const open = ['--p12-info', '--inder', '--infile', 'user.p12'];
    const said = bench.accepts('certtool', ...open, '--password', password);
    assert.match(said, /Friendly name: 010429001/);
    assert.match(said, /MAC info:\s+MAC: SHA256/);
    assert.equal(said.match(/Schema: PBES2-AES256-CBC/g).length, 2, said);
    assert.equal(said.match(/BEGIN CERTIFICATE/g).length, 3);
    bench.refuses('certtool', ...open, '--password', 'wrong');
  }
});

test('a certificate of another key is never packed', needs('openssl'), async (context) => {
  const { chain } = await retrieve(new Workbench(context), '');
  const other = await script.makeKey();
  await assert.rejects(script.makeBundle(other, chain, '010429001', ''), /another key/);
});

test('a password for the file is plain, long enough and the same twice', () => {
  const judged = [
    ['', '', null],
    ['correct horse 7', 'correct horse 7', null],
    ['~'.repeat(64), '~'.repeat(64), null],
    ['', 'x', 'mismatch'],
    ['correct horse 7', '', 'mismatch'],
    ['correct horse 7', 'correct horse 8', 'mismatch'],
    ['seven77', 'seven77', 'weak'],
    ['~'.repeat(65), '~'.repeat(65), 'plain'],
    ['パスワードです', 'パスワードです', 'plain'],
    ['１２３４５６７８', '１２３４５６７８', 'plain'],
    ['with\ttab', 'with\ttab', 'plain'],
  ];
  for (const [password, again, fault] of judged) {
    assert.equal(script.passwordFault(password, again), fault, password);
  }
});
