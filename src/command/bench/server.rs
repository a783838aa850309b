//! The server that is measured: the same program as a process of its own, and its figures.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A running server.
pub struct Server {
    child: Child,
    /// Ports by the name of the site.
    ports: BTreeMap<String, u16>,
}

impl Server {
    /// Starts this very program on a configuration and waits until it says where it answers.
    pub async fn start(config: &Path) -> Result<Self> {
        // Whoever wants to see every statement sets the level.
        let level = std::env::var("SAIHAKKO__LOG__LEVEL").unwrap_or_else(|_| "warn".to_owned());
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--config")
            .arg(config)
            .arg("serve")
            .env("SAIHAKKO__LOG__LEVEL", level)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().context("the server says nothing")?;
        let mut lines = BufReader::new(out).lines();
        let mut ports = BTreeMap::new();
        while ports.len() < 5 {
            let next = tokio::time::timeout(Duration::from_mins(2), lines.next_line()).await;
            let line = next.context("the server does not start")??;
            let line = line.context("the server ended at its start")?;
            let name = line.split(' ').next().unwrap_or_default().to_owned();
            let port = line.rsplit("localhost:").next().and_then(|rest| rest.split('/').next());
            ports.insert(name, port.unwrap_or_default().parse()?);
        }
        Ok(Self { child, ports })
    }

    /// Where a site answers.
    pub fn port(&self, site: &str) -> Result<u16> {
        self.ports.get(site).copied().with_context(|| format!("{site} is not served"))
    }

    /// Resident memory in MiB, now and at its highest.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let figure = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let text = line.and_then(|line| line.split_whitespace().next());
            Ok(text.context("no such figure")?.parse::<f64>()? / 1024.0)
        };
        Ok((figure("VmRSS:")?, figure("VmHWM:")?))
    }

    /// The times to answer of every route so far.
    pub async fn times(&self) -> Result<Times> {
        let port = self.port("metrics")?;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let ask =
            format!("GET /metrics HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Times::read(&text)
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().context("the server has ended")?;
        let asked = std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status()?;
        ensure!(asked.success(), "the server could not be asked to end");
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        let status = ended.context("the server did not end")??;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

/// How many answers of a route took at most how long.
#[derive(Debug, Clone, Default)]
pub struct Times(BTreeMap<String, Vec<(f64, u64)>>);

impl Times {
    fn read(text: &str) -> Result<Self> {
        let mut all: BTreeMap<String, Vec<(f64, u64)>> = BTreeMap::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("saihakko_request_seconds_bucket{route=\"") else {
                continue;
            };
            let (route, rest) = rest.split_once("\",le=\"").context("a bucket without its end")?;
            let (end, count) = rest.split_once("\"} ").context("a bucket without its count")?;
            let end = if end == "+Inf" { f64::INFINITY } else { end.parse()? };
            all.entry(route.to_owned()).or_default().push((end, count.parse()?));
        }
        Ok(Self(all))
    }

    /// The milliseconds within which this share of a route's answers since `before` was ready,
    /// within a bucket by its share of it.
    pub fn within(&self, before: &Self, route: &str, share: f64) -> f64 {
        let Some(now) = self.0.get(route) else { return 0.0 };
        let earlier = before.0.get(route);
        let since: Vec<(f64, f64)> = now
            .iter()
            .enumerate()
            .map(|(index, (end, count))| {
                let old = earlier.and_then(|old| old.get(index)).map_or(0, |(_, count)| *count);
                (*end, figure(count.saturating_sub(old)))
            })
            .collect();
        let wanted = since.last().map_or(0.0, |(_, all)| *all) * share;
        let (mut start, mut below) = (0.0, 0.0);
        for (end, count) in since {
            if count >= wanted && count > below {
                let end = if end.is_finite() { end } else { start };
                return 1000.0 * (start + (end - start) * (wanted - below) / (count - below));
            }
            (start, below) = (end, count);
        }
        0.0
    }
}

/// A count as a figure to reckon with.
pub fn figure(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_from_the_buckets_since_then() {
        let text = |a, b, c| {
            format!(
                "saihakko_request_seconds_bucket{{route=\"/x\",le=\"0.001\"}} {a}\n\
                 saihakko_request_seconds_bucket{{route=\"/x\",le=\"0.002\"}} {b}\n\
                 saihakko_request_seconds_bucket{{route=\"/x\",le=\"+Inf\"}} {c}\n"
            )
        };
        let before = Times::read(&text(100, 100, 100)).unwrap();
        let after = Times::read(&text(150, 200, 200)).unwrap();
        assert!((after.within(&before, "/x", 0.5) - 1.0).abs() < 1e-9);
        assert!((after.within(&before, "/x", 0.75) - 1.5).abs() < 1e-9);
        assert!((after.within(&Times::default(), "/x", 0.5) - 2.0 / 3.0).abs() < 1e-9);
        assert!(after.within(&before, "/y", 0.5).abs() < 1e-9);
    }
}
