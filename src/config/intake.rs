//! What the mail room takes in by itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigFault, senseless};

/// What scanners drop into a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// The folder into which scanners drop their files, over SMB or FTP; each device may have a
    /// folder of its own in it. Files are moved to `done` or `failed` inside it. Empty for none.
    pub folder: PathBuf,
    /// Seconds for which a file must not have changed before it is taken in.
    pub rest_s: u64,
    /// Seconds between two looks.
    pub look_s: u64,
}

impl Default for Intake {
    fn default() -> Self {
        Self { folder: PathBuf::new(), rest_s: 5, look_s: 2 }
    }
}

impl Intake {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        if self.look_s == 0 {
            return Err(senseless("intake.look_s", "must be at least 1"));
        }
        Ok(())
    }
}

/// The permit for replies has a last day, written as a date.
pub(super) fn check_permit(house: &forms::House) -> Result<(), ConfigFault> {
    let until = &house.reply_permit_until;
    if house.reply_permit.is_empty() && until.is_empty() {
        return Ok(());
    }
    if house.reply_permit.is_empty() || until.parse::<chrono::NaiveDate>().is_err() {
        let problem = "and house.reply_permit go together, as a date like 2027-03-31";
        return Err(senseless("house.reply_permit_until", problem));
    }
    Ok(())
}
