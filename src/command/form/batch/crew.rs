//! Children at work: each has one part of a file at a time; one that dies is followed by another, which
//! goes on behind the page of which the first one died.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result};
use forms::{CodeKey, PageReading, ReadFault};
use saihakko::reader::{self, Losses, Order, Said, Source, WORKER};
use serde_json::value::RawValue;

use super::File;

/// Every so manyth page of a file.
pub(super) struct Part {
    file: usize,
    from: Held,
    number: usize,
    of: usize,
}

/// Where a file is held until it is read.
#[derive(Clone)]
enum Held {
    Bytes(Arc<Vec<u8>>),
    Place(Source),
}

impl Part {
    /// A file in so many parts; standard input is read once.
    pub(super) fn all(file: usize, from: File, of: usize) -> Result<Vec<Self>> {
        let from = match from {
            File::Path(path) => Held::Place(Source::path(&path)),
            File::Standard => {
                let mut bytes = Vec::new();
                let limit = forms::Limits::default().file_bytes as u64 + 1;
                let input = std::io::stdin().lock();
                input
                    .take(limit)
                    .read_to_end(&mut bytes)
                    .context("standard input cannot be read")?;
                Held::Bytes(Arc::new(bytes))
            }
        };
        Ok((0..of).map(|number| Self { file, from: from.clone(), number, of }).collect())
    }
}

/// What was heard of a part.
pub(super) enum Heard {
    /// The page of that number.
    Page(usize, Box<RawValue>),
    /// The part is done.
    End(Option<String>),
}

/// Something heard, and of what.
pub(super) struct Message {
    pub(super) file: usize,
    pub(super) part: usize,
    pub(super) of: usize,
    pub(super) heard: Heard,
}

/// Parts that nobody has taken yet. Nobody may take one far ahead of the file that is told.
pub(super) struct Frontier {
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    parts: VecDeque<Part>,
    told: usize,
}

/// Files that may be read ahead of the one that is told.
const AHEAD: usize = 64;

impl Frontier {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let state = State { parts: parts.into(), told: 0 };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    fn take(&self) -> Option<Part> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_far = |state: &mut State| {
            state.parts.front().is_some_and(|part| part.file >= state.told.saturating_add(AHEAD))
        };
        let state = self.moved.wait_while(state, is_far);
        state.unwrap_or_else(PoisonError::into_inner).parts.pop_front()
    }

    /// So many files were told.
    pub(super) fn told(&self, files: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).told = files;
        self.moved.notify_all();
    }

    /// Nobody listens any more: nothing is left to be done.
    pub(super) fn clear(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).parts.clear();
        self.moved.notify_all();
    }
}

/// Reads parts until there are no more, or nobody listens.
pub(super) fn work(frontier: &Frontier, sender: &mpsc::SyncSender<Message>) {
    let mut place = None;
    while let Some(part) = frontier.take() {
        let say = |heard| {
            let message = Message { file: part.file, part: part.number, of: part.of, heard };
            sender.send(message).is_ok()
        };
        let error = match read(&part, &mut place, &say) {
            Ok(Ended::File(error)) => error,
            Ok(Ended::Unheard) => return,
            Err(error) => Some(format!("{error:#}")),
        };
        if !say(Heard::End(error)) {
            return;
        }
    }
}

/// How reading a part ended.
enum Ended {
    /// With the file, or why not.
    File(Option<String>),
    /// Nobody listens any more.
    Unheard,
}

fn read(part: &Part, place: &mut Option<Helper>, say: &dyn Fn(Heard) -> bool) -> Result<Ended> {
    let (mut next, mut losses) = (part.number + 1, Losses::default());
    let exhausted = || Ok(Ended::File(Some(ReadFault::Exhausted.to_string())));
    loop {
        let mut helper = match place.take() {
            Some(helper) => helper,
            None => Helper::start()?,
        };
        let mut begun = None;
        // A helper that died while it waited, or early, is heard to have died.
        let _ = helper.order(&part.from, next, part.of);
        loop {
            match helper.hear()? {
                Some(Said::Begins(number)) => begun = Some(number),
                Some(Said::Page(page)) => {
                    let number = begun.take().unwrap_or(next);
                    next = number + part.of;
                    if !say(Heard::Page(number, page)) {
                        return Ok(Ended::Unheard);
                    }
                }
                // Nobody looks at the pages of a batch.
                Some(Said::Drawn(_)) => {}
                Some(Said::End(error)) => {
                    *place = Some(helper);
                    return Ok(Ended::File(error));
                }
                None => break,
            }
        }
        let Some(number) = begun else { return exhausted() };
        let page = serde_json::value::to_raw_value(&PageReading::lost(number))?;
        if !say(Heard::Page(number, page)) {
            return Ok(Ended::Unheard);
        }
        next = number + part.of;
        losses.add(helper.child.wait().ok());
        if losses.are_too_many() {
            return exhausted();
        }
    }
}

/// A child.
struct Helper {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    fn start() -> Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut child =
            reader::child(&program, WORKER).spawn().context("a reader cannot be started")?;
        let orders = child.stdin.take().context("a reader hears nothing")?;
        let answers = child.stdout.take().context("a reader says nothing")?;
        let mut helper = Self { child, orders, answers: BufReader::new(answers) };
        helper.orders.write_all(&CodeKey::SAMPLE).context("a reader cannot be told its key")?;
        Ok(helper)
    }

    fn order(&mut self, from: &Held, first: usize, step: usize) -> Result<()> {
        let source = match from {
            Held::Place(source) => source.clone(),
            Held::Bytes(bytes) => Source::Follows(bytes.len()),
        };
        let mut line = serde_json::to_vec(&Order { source, first, step, draws: false })?;
        line.push(b'\n');
        self.orders.write_all(&line)?;
        if let Held::Bytes(bytes) = from {
            self.orders.write_all(bytes)?;
        }
        Ok(self.orders.flush()?)
    }

    /// What it says next; none when it died.
    fn hear(&mut self) -> Result<Option<Said<Box<RawValue>>>> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(1..) if line.ends_with('\n') => {
                Ok(Some(serde_json::from_str(&line).context("a reader's answer is no JSON")?))
            }
            _ => Ok(None),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It has nothing of its own: no file is left half written.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
