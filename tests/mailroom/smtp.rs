//! A mail server that takes every mail but those to one address, which it does not know (RFC 5321).

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// Whose address has gone.
pub(crate) const UNKNOWN: &str = "taro.yamada@aoba.example";

/// Starts it; gives its port. It ends with the tests.
pub(crate) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// One session; ends when the client does.
fn serve(mut stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 mail.example ESMTP")?;
    while let Some(Ok(line)) = lines.next() {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "EHLO" | "HELO" => say("250 mail.example")?,
            "RCPT" if line.contains(UNKNOWN) => say("550 5.1.1 no such mailbox")?,
            "DATA" => {
                say("354 go on")?;
                while lines.next()?.ok()? != "." {}
                say("250 taken")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 fine")?,
        }
    }
    Some(())
}
