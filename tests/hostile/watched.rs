//! A child that reads one file while its time and memory are looked at from outside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use saihakko::reader::{Order, Said, Source};

/// What was seen.
pub(crate) struct Seen {
    /// Of a processor.
    pub(crate) seconds: f64,
    /// The most at any time.
    pub(crate) memory: u64,
    pub(crate) answer: String,
}

pub(crate) fn read(program: &str, bytes: &[u8]) -> Seen {
    let mut child = Command::new(program)
        .args(["form", "read", "--worker"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let order = Order { source: Source::Follows(bytes.len()), first: 1, step: 1, draws: false };
    let order = serde_json::to_vec(&order).unwrap();
    let (id, done) = (child.id(), AtomicBool::new(false));
    let (answer, taken) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut taken = (0.0_f64, 0);
            while !done.load(Ordering::Relaxed) {
                taken = looked(id).map_or(taken, |(s, m)| (taken.0.max(s), taken.1.max(m)));
                thread::sleep(Duration::from_millis(2));
            }
            taken
        });
        // A child that refuses early does not take all of it.
        let _ = [&[9; 32], order.as_slice(), b"\n", bytes].map(|part| stdin.write_all(part));
        let answer = ended(&mut answers);
        // It waits for the next order: what it took at the most can still be asked for.
        let last = looked(id);
        done.store(true, Ordering::Relaxed);
        let (seconds, memory) = watch.join().unwrap();
        let (last_seconds, last_memory) = last.unwrap_or_default();
        (answer, (seconds.max(last_seconds), memory.max(last_memory)))
    });
    drop(stdin);
    child.kill().unwrap_or_default();
    child.wait().unwrap();
    Seen { seconds: taken.0, memory: taken.1, answer }
}

fn ended(answers: &mut impl BufRead) -> String {
    let mut pages = 0;
    let mut line = String::new();
    while answers.read_line(&mut line).unwrap_or(0) > 0 {
        match serde_json::from_str::<Said<serde_json::Value>>(&line) {
            Ok(Said::Page(_)) => pages += 1,
            Ok(Said::End(None)) => return format!("{pages} pages"),
            Ok(Said::End(Some(why))) => return format!("{pages} pages, {why}"),
            _ => {}
        }
        line.clear();
    }
    format!("{pages} pages, the child was stopped")
}

/// Seconds of a processor and the most memory so far (proc(5)).
fn looked(id: u32) -> Option<(f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u32 =
        fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u32>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((f64::from(ticks) / 100.0, kilobytes << 10))
}
