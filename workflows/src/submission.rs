//! The envelope (or upload): from a draft on the web to the cases on its pages.

use serde::{Deserialize, Serialize};

/// The submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission;

/// The stored name; never changed.
pub const NAME: &str = "submission";

/// Where a submission stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// A prefilled form was made on the web and is awaited.
    Draft {
        /// Reminders sent: 0, 1 or 2.
        reminded: u8,
    },
    /// The envelope has come and bears its receipt number.
    Received,
    /// The pages are scanned and are being read.
    Scanned,
    /// Contract and pages are known; its cases are being opened.
    Identified,
    /// Pages are missing.
    Incomplete {
        /// The reminder went out.
        reminded: bool,
    },
    /// Nobody knows yet whose it is.
    Unidentified,
    /// No contract was found: the supervisor decides.
    Escalated,
    /// End: every request on it is a case.
    Opened,
    /// End: sent back to the registered address.
    Returned,
    /// End: kept by the supervisor, because there is no address to send it to.
    Archived,
    /// End: a draft that was never posted.
    Closed,
}

/// What is asked of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Customer: make a prefilled form.
    Prefill,
    /// Mail room: the envelope has come.
    Receive {
        /// How it came, such as ordinary or registered mail.
        carrier: String,
        /// Counted by hand.
        pages: u16,
    },
    /// Mail room: the pages are scanned.
    Scan,
    /// Worker or clerk: the pages name a contract of ours and are complete.
    Identify,
    /// Worker or clerk: the pages do not tell whose they are.
    MarkUnidentified,
    /// Worker or clerk: pages are missing.
    MarkIncomplete,
    /// Mail room or clerk: this page belongs elsewhere; it gets a submission of its own.
    Detach {
        /// From 1, in the order of the scan.
        page: u16,
    },
    /// Mail room: the missing pages have come.
    AddPages {
        /// Counted by hand.
        pages: u16,
    },
    /// Clerk: matched by contract number and seal.
    Match,
    /// Clerk or supervisor: send it back now.
    SendBack,
    /// Worker: every request on it is a case now.
    ItemsOpened {
        /// How many.
        count: u16,
    },
    /// Supervisor: keep it, there is no address.
    Archive,
    /// Clock: the form is awaited.
    Remind,
    /// Clock: give up waiting.
    Close,
}
