//! The local socket: how other commands, and rehearsals, reach a running server.
//!
//! One JSON object a line in, one a line out. The socket lies in the data folder and only its
//! owner may open it; whoever may open it may also read the database, so it authenticates nobody
//! further than the calls themselves do.

mod call;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

pub use call::Call;

use crate::app::App;

/// What a call comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was done.
    Done(Value),
    /// It was declined; the code is the key of a text.
    Declined(String),
    /// Something broke; the log knows more under this reference.
    Broken(String),
}

/// Calls a running server fails like this.
#[derive(Debug, thiserror::Error)]
pub enum SocketFault {
    /// Nobody listens there.
    #[error("no server answers at the socket")]
    Unreachable {
        /// The system's word.
        source: std::io::Error,
    },
    /// The connection broke before the reply: whether the call was carried out is unknown.
    #[error("the server did not reply")]
    NoReply,
    /// The reply cannot be understood.
    #[error("the reply cannot be understood")]
    Reply {
        /// The parser's word.
        source: serde_json::Error,
    },
}

/// The longest line that is read: a batch of scans.
const LONGEST_LINE: u64 = 256 << 20;

/// Listens until `stop` turns true. A socket left by a process that died is replaced.
pub async fn listen(app: App, path: &Path, mut stop: watch::Receiver<bool>) -> std::io::Result<()> {
    if UnixStream::connect(path).await.is_err() && path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        let (stream, _) = accepted?;
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = converse(app, stream, stop).await {
                tracing::debug!(%error, "a local connection ended");
            }
        });
    }
    std::fs::remove_file(path)
}

async fn converse(
    app: App,
    stream: UnixStream,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(tokio::io::AsyncReadExt::take(read, LONGEST_LINE)).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line?,
            _ = stop.changed() => None,
        };
        let Some(line) = line else { return Ok(()) };
        let reply = match serde_json::from_str::<Call>(&line) {
            Ok(call) => call.carry_out(&app).await,
            Err(error) => Reply::Declined(format!("call.Unreadable: {error}")),
        };
        let mut text = serde_json::to_string(&reply).unwrap_or_default();
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
    }
}

/// Carries a call out in this process, when no server runs.
pub async fn carry_out(app: &App, call: Call) -> Reply {
    call.carry_out(app).await
}

/// Calls a running server once.
pub async fn call(path: &Path, call: &Call) -> Result<Reply, SocketFault> {
    let stream =
        UnixStream::connect(path).await.map_err(|source| SocketFault::Unreachable { source })?;
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_string(call).map_err(|source| SocketFault::Reply { source })?;
    text.push('\n');
    write.write_all(text.as_bytes()).await.map_err(|_| SocketFault::NoReply)?;
    let line = BufReader::new(read).lines().next_line().await.ok().flatten();
    let line = line.ok_or(SocketFault::NoReply)?;
    serde_json::from_str(&line).map_err(|source| SocketFault::Reply { source })
}
