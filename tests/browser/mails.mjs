// The mails of a world, read from the folder into which it writes them.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Every mail: who gets it, the subject, the plain text. */
export async function mailsOf(world) {
  const folder = join(world.data, 'outbox');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.eml'));
  return Promise.all(names.sort().map(async (name) => {
    return read(await readFile(join(folder, name), 'utf8'));
  }));
}

/** Waits until as many mails with such a subject lie in the folder, and gives them. */
export async function awaitMails(world, subject, count = 1) {
  return world.until(`${count} mails: ${subject}`, async () => {
    const found = (await mailsOf(world)).filter((mail) => subject.test(mail.subject));
    return found.length >= count ? found : null;
  });
}

function read(raw) {
  const source = raw.replaceAll('\r\n', '\n');
  const end = source.indexOf('\n\n');
  const head = source.slice(0, end).replace(/\n[ \t]+/g, ' ');
  const header = (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  const to = /<([^>]+)>|(\S+@\S+)/.exec(header('To'));
  return {
    to: to?.[1] ?? to?.[2], subject: words(header('Subject')), text: plain(source, head), source,
  };
}

/** Encoded words (RFC 2047); spaces between two of them do not count. */
function words(text) {
  const joined = text.replace(/\?=\s+=\?/g, '?==?');
  return joined.replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_, kind, body) => {
    if (/b/i.test(kind)) return Buffer.from(body, 'base64').toString('utf8');
    return quoted(body.replaceAll('_', ' '));
  });
}

/** Quoted-printable (RFC 2045, 6.7). */
function quoted(text) {
  const soft = text.replace(/=\n/g, '');
  const octets = soft.replace(/=([0-9A-F]{2})/gi, (_, octet) =>
    String.fromCharCode(Number.parseInt(octet, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}

/** The part of type text/plain. */
function plain(source, head) {
  const boundary = /boundary="?([^"\s;]+)/i.exec(head)?.[1];
  const parts = boundary ? source.split(`--${boundary}`) : [source];
  const part = parts.find((one) => /content-type: text\/plain/i.test(one)) ?? '';
  const body = part.slice(part.indexOf('\n\n') + 2);
  if (/transfer-encoding: base64/i.test(part)) return Buffer.from(body, 'base64').toString('utf8');
  return /transfer-encoding: quoted/i.test(part) ? quoted(body) : body;
}
