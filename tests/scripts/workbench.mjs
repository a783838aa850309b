// A bank's authority made by OpenSSL, in a folder of its own, and the outside programs that judge.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Skips a test without its program, unless everything must be there. */
export function needs(...programs) {
  const missing = programs.filter((name) => spawnSync(name, ['--version']).error);
  if (missing.length === 0 || process.env.CI === 'true') return {};
  return { skip: `not installed: ${missing.join(', ')}` };
}

export class Workbench {
  /** Founds the root and the issuing authority; the folder goes when the test ends. */
  constructor(test) {
    this.folder = mkdtempSync(join(tmpdir(), 'scripts-'));
    test.after(() => rmSync(this.folder, { recursive: true }));
    this.write('leaf.ext', 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n');
    this.write('above.ext', 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n');
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    this.openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
      '-days',
      '30',
      '-subj',
      '/CN=Sample Root',
    );
    this.openssl(
      'req',
      ...newKey,
      '-keyout',
      'issuing.key',
      '-out',
      'issuing.csr',
      '-subj',
      '/CN=Sample Issuing',
    );
    this.sign('issuing', 'root', 'above.ext');
  }

  /** Signs NAME.csr into NAME.pem. */
  sign(name, issuer, extensions) {
    this.openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      '-days',
      '20',
      '-CA',
      `${issuer}.pem`,
      '-CAkey',
      `${issuer}.key`,
      '-CAcreateserial',
      '-extfile',
      extensions,
    );
  }

  /** What the bank answers to a request: the chain in PEM, leaf first. */
  certify(request) {
    this.write('client.csr', request);
    this.sign('client', 'issuing', 'leaf.ext');
    return ['client', 'issuing', 'root'].map((name) => this.read(`${name}.pem`)).join('\n');
  }

  write(name, content) {
    writeFileSync(join(this.folder, name), content);
  }

  read(name) {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  run(program, ...words) {
    const ended = spawnSync(program, words, {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(ended.error, undefined, `${program} does not run`);
    return { accepted: ended.status === 0, said: ended.stdout + ended.stderr };
  }

  /** Runs a program that must accept what it is given; returns what it says. */
  accepts(program, ...words) {
    const { accepted, said } = this.run(program, ...words);
    assert.ok(accepted, `${program} ${words.join(' ')}\n${said}`);
    return said;
  }

  refuses(program, ...words) {
    const { accepted, said } = this.run(program, ...words);
    assert.ok(!accepted, `${program} ${words.join(' ')} should have failed\n${said}`);
    return said;
  }

  openssl(...words) {
    return this.accepts('openssl', ...words);
  }
}
