use super::*;

fn builder() -> MessageBuilder {
    MessageBuilder::new("サンプル銀行 <no-reply@bank.example>").unwrap()
}

fn content() -> Content {
    Content {
        subject: "【サンプル銀行】お知らせ".into(),
        text: "本文です。\n".into(),
        html: "<p>本文です。</p>".into(),
    }
}

fn recipient(name: &str, email: &str) -> Recipient {
    Recipient { key: "user-7".into(), name: name.into(), email: email.into() }
}

fn wire(recipient: &Recipient, content: &Content) -> String {
    let at = Moment::from_seconds(1_795_160_049);
    let outgoing = builder().build(31, recipient, content, at).unwrap();
    String::from_utf8(outgoing.message.formatted()).unwrap()
}

/// Header lines with their continuations joined.
fn headers(wire: &str) -> Vec<String> {
    let head = wire.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn the_message_on_the_wire() {
    let wire = wire(&recipient("山田 太郎", "taro@aoba.example"), &content());
    insta::assert_snapshot!("wire", wire.replace("\r\n", "\n"));
}

#[test]
fn the_same_notice_is_the_same_bytes() {
    let to = recipient("山田 太郎", "taro@aoba.example");
    assert_eq!(wire(&to, &content()), wire(&to, &content()));
}

#[test]
fn nothing_slips_into_a_header() {
    let plain = headers(&wire(&recipient("a", "taro@aoba.example"), &content())).len();
    for name in [
        "a\r\nBcc: thief@evil.example",
        "a\nBcc: thief@evil.example",
        "a\rBcc: thief@evil.example",
        "山田\r\n\r\nbody",
        "\"a\" <thief@evil.example>, b",
        "a\u{2028}Bcc: thief@evil.example",
        "a\0b",
        "=?utf-8?q?=0D=0ABcc:_thief@evil.example?=",
    ] {
        let mut content = content();
        content.subject = name.to_owned();
        let lines = headers(&wire(&recipient(name, "taro@aoba.example"), &content));
        assert_eq!(lines.len(), plain, "{name:?}: {lines:#?}");
        let at = Moment::from_seconds(0);
        let to = recipient(name, "taro@aoba.example");
        let message = builder().build(1, &to, &content, at).unwrap().message;
        let envelope: Vec<String> =
            message.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(envelope, ["taro@aoba.example"], "{name:?}");
    }
}

#[test]
fn what_needs_quoting_is_no_address() {
    for bad in [
        "",
        "taro",
        "taro@",
        "@aoba.example",
        "a b@aoba.example",
        "\"a b\"@aoba.example",
        "a@aoba.example\r\nRCPT TO:<thief@evil.example>",
        "a@aoba.example,b@aoba.example",
        "a@b@aoba.example",
        "<a@aoba.example>",
        "太郎@aoba.example",
        "a@\u{ff21}.example",
        "a..b@aoba.example",
        "a@aoba..example",
    ] {
        assert!(address(bad).is_err(), "{bad:?}");
    }
    for good in ["taro@aoba.example", "t.yamada+bank@mail.aoba.example", "o'neil@aoba.example"] {
        assert!(address(good).is_ok(), "{good}");
    }
}

#[test]
fn the_identity_stays_the_same() {
    assert_eq!(builder().message_id(31, "user-7"), "<outbox-31-user-7@bank.example>");
}

#[test]
fn a_bad_sender_is_refused_at_the_start() {
    assert!(MessageBuilder::new("nobody").is_err());
}
