use std::sync::{Arc, Mutex};

use engine::Moment;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::mail::{Content, MessageBuilder, Recipient};

fn outgoing(outbox: i64) -> Outgoing {
    let content = Content { subject: "s".into(), text: "t\n".into(), html: "<p>t</p>".into() };
    let (key, name, email) = ("user-7".into(), "a".into(), "secret.taro@aoba.example".into());
    let recipient = Recipient { key, name, email };
    let builder = MessageBuilder::new("no-reply@bank.example").unwrap();
    builder.build(outbox, &recipient, &content, Moment::from_seconds(1_795_160_049)).unwrap()
}

/// How the server behaves when the message comes.
#[derive(Clone, Copy)]
enum Manner {
    Takes,
    Answers(&'static str),
    /// Says nothing any more once the message was sent.
    FallsSilent,
    /// Takes the message and hangs up without an answer.
    HangsUp,
}

/// A server on loopback that speaks just enough SMTP; keeps what it was sent.
async fn server(manner: Manner) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let keep = keep.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 mx.test\r\n").await.unwrap();
                let (mut body, mut in_body) = (String::new(), false);
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = if in_body && line == "." {
                        in_body = false;
                        keep.lock().unwrap().push(std::mem::take(&mut body));
                        match manner {
                            Manner::Takes => "250 taken",
                            Manner::Answers(answer) => answer,
                            Manner::HangsUp => return,
                            Manner::FallsSilent => std::future::pending().await,
                        }
                    } else if in_body {
                        body.push_str(&line);
                        body.push('\n');
                        continue;
                    } else if line == "DATA" {
                        in_body = true;
                        "354 go on"
                    } else if line == "QUIT" {
                        "221 bye"
                    } else {
                        "250 ok"
                    };
                    write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                }
            });
        }
    });
    (port, kept)
}

fn smtp(port: u16) -> Sender {
    let mut config = Config::default();
    config.mail.host = "127.0.0.1".into();
    config.mail.port = port;
    config.mail.tls = TlsMode::None;
    config.mail.send_timeout_s = 1;
    Sender::new(&config).unwrap()
}

async fn failure(manner: Manner) -> Failure {
    let (port, _) = server(manner).await;
    let failure = smtp(port).send(&outgoing(1)).await.unwrap_err();
    assert!(!failure.reason.contains("taro"), "{}", failure.reason);
    failure
}

#[tokio::test]
async fn a_message_arrives_as_it_was_built() {
    let (port, kept) = server(Manner::Takes).await;
    let sender = smtp(port);
    sender.check().await.unwrap();
    sender.send(&outgoing(5)).await.unwrap();
    sender.send(&outgoing(6)).await.unwrap();
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept[0].contains("Message-ID: <outbox-5-user-7@bank.example>"), "{}", kept[0]);
    let built = String::from_utf8(outgoing(5).message.formatted()).unwrap();
    assert_eq!(kept[0].trim(), built.replace("\r\n", "\n").trim());
}

#[tokio::test]
async fn answers_decide_whether_another_attempt_helps() {
    assert!(failure(Manner::Answers("550 no such user secret.taro@aoba.example")).await.permanent);
    assert!(!failure(Manner::Answers("451 later")).await.permanent);
    assert!(!failure(Manner::Answers("535 not with that password")).await.permanent);
}

#[tokio::test]
async fn an_unknown_outcome_is_tried_again_under_the_same_identity() {
    assert!(!failure(Manner::HangsUp).await.permanent);
    let silent = failure(Manner::FallsSilent).await;
    assert!(!silent.permanent);
    let nobody = smtp(1).send(&outgoing(1)).await.unwrap_err();
    assert!(!nobody.permanent);
}

#[tokio::test]
async fn starttls_is_demanded() {
    let (port, kept) = server(Manner::Takes).await;
    let mut config = Config::default();
    config.mail.host = "127.0.0.1".into();
    config.mail.port = port;
    let failure = Sender::new(&config).unwrap().send(&outgoing(1)).await.unwrap_err();
    assert!(!failure.permanent);
    assert!(kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_repeat_takes_its_own_place_in_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let sender = Sender::new(&Config::for_demo(dir.path())).unwrap();
    sender.check().await.unwrap();
    for outbox in [5, 6, 5] {
        sender.send(&outgoing(outbox)).await.unwrap();
    }
    let mut names: Vec<String> = fs::read_dir(dir.path().join("outbox"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["outbox-5-user-7@bank.example.eml", "outbox-6-user-7@bank.example.eml"]);
    let bytes = fs::read(dir.path().join("outbox").join(&names[0])).unwrap();
    assert_eq!(bytes, outgoing(5).message.formatted());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_passing_failure() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("outbox"), "a file stands in the way").unwrap();
    let sender = Sender::new(&Config::for_demo(dir.path())).unwrap();
    assert!(sender.check().await.is_err());
    assert!(!sender.send(&outgoing(1)).await.unwrap_err().permanent);
}

#[test]
fn file_names_stay_in_the_folder() {
    assert_eq!(file_name("<../../etc/passwd>"), "_.._etc_passwd.eml");
    assert_eq!(file_name("<a-1@b.example>"), "a-1@b.example.eml");
}
