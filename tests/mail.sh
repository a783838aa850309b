#!/usr/bin/env bash
# The demonstration's mails through a real Postfix:  mail.sh PROGRAM
set -euo pipefail
program=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap '"$here/postfix.sh" stop "$folder/postfix" || true; rm -rf "$folder"' EXIT
chmod 755 "$folder"
port=$("$here/postfix.sh" start "$folder/postfix")

# The server's certificate is the only one trusted: STARTTLS is demanded and verified.
SSL_CERT_FILE="$folder/postfix/cert.pem" timeout 180 \
  "$program" demo --no-serve --dir "$folder/demo" --smtp "localhost:$port" >"$folder/story.txt" ||
  { cat "$folder/story.txt"; exit 1; }

python3 - "$folder/postfix/mail/box/new" <<'JUDGE'
import email, email.policy, pathlib, re, sys, time
box = pathlib.Path(sys.argv[1])
for _ in range(100):
    count = len(list(box.iterdir())) if box.is_dir() else 0
    time.sleep(0.1)
    if count and count == len(list(box.iterdir())):
        break
ids, failures = set(), []
for path in sorted(box.iterdir()):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    text = mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content()
    name = mail["subject"]
    if "ESMTPS" not in " ".join(mail.get_all("received", [])):
        failures.append(f"{name}: not sent over TLS")
    if mail["message-id"] in ids:
        failures.append(f"{name}: delivered twice")
    ids.add(mail["message-id"])
    if re.search(r"\d(?:[ -]?\d){15}", text) or re.search(r"https?://(?!www\.w3\.org)", text):
        failures.append(f"{name}: digits or a link")
    if list(mail.iter_attachments()):
        failures.append(f"{name}: an attachment")
    if not all(one.domain.endswith(".example") for one in mail["to"].addresses):
        failures.append(f"{name}: to {mail['to']}")
print(f"{len(ids)} mails through Postfix, each over TLS, none with digits, link or attachment")
if len(ids) < 20 or failures:
    sys.exit("\n".join(failures) or f"only {len(ids)} mails arrived")
JUDGE
