//! One fixed icon and tint for every state, and the icons themselves.
//!
//! Lists, timelines, diagrams and mails take a state's face from here, so that it never differs.

/// How urgent or final a state is; the style sheet gives each its colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tint {
    /// Done, good.
    Ok,
    /// On its way; nothing to worry about.
    Info,
    /// In somebody's hands inside the house.
    Work,
    /// Waits for somebody, or something is to be mended.
    Warn,
    /// Stopped or refused.
    Err,
    /// Over, neither good nor bad.
    Plain,
}

/// Icon and tint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Face {
    /// A name in the sprite.
    pub icon: &'static str,
    /// See [`Tint`].
    pub tint: Tint,
}

/// The face of a state; `None` for a state that is not in the table, which a test forbids.
pub fn known(state: &str) -> Option<Face> {
    let face = |icon, tint| Some(Face { icon, tint });
    match state.rsplit('.').next().unwrap_or(state) {
        "Draft" => face("pen", Tint::Plain),
        "Received" | "Scanned" => face("inbox", Tint::Info),
        "Identified" => face("search", Tint::Work),
        "Checked" => face("doc", Tint::Work),
        "SealOk" => face("stamp", Tint::Work),
        "Approved" | "Granted" => face("stamp", Tint::Info),
        "Printed" => face("printer", Tint::Info),
        "Dispatched" | "Told" => face("mail", Tint::Info),
        "Authenticating" | "Ready" | "Confirming" | "Waiting" => face("key", Tint::Info),
        "Redeemed" | "Claimed" | "HandingOut" => face("key", Tint::Work),
        "CertificateIssued" => face("badge", Tint::Info),
        "Proposed" | "Asked" => face("pen", Tint::Warn),
        "Lying" => face("hidden", Tint::Plain),
        "Shown" => face("eye", Tint::Warn),
        "Active" | "Opened" | "Open" => face("dot", Tint::Info),
        "Owned" | "Recorded" | "ByHand" => face("person", Tint::Work),
        "CarryingOut" => face("gear", Tint::Work),
        "Start" | "Unset" | "Idle" => face("dot", Tint::Plain),
        "Ordered" => face("printer", Tint::Work),
        "Enrolling" => face("person", Tint::Info),
        "Completed" | "Done" | "Used" => face("check", Tint::Ok),
        "Locked" => face("lock", Tint::Err),
        "Frozen" | "Stopped" | "DangerHold" => face("hand", Tint::Err),
        "Refused" | "Rejected" | "Aborted" | "Failed" => face("cross", Tint::Err),
        "Defect" | "Incomplete" | "Unidentified" | "Escalated" | "AddressHold" => {
            face("alert", Tint::Warn)
        }
        "Returned" | "Undelivered" => face("back", Tint::Warn),
        "Expired"
        | "Lapsed"
        | "Abandoned"
        | "ClosedUnused"
        | "ClosedLocked"
        | "ClosedNoResponse"
        | "ClosedUndeliverable"
        | "Closed"
        | "GivenUp" => face("clock", Tint::Plain),
        "Cancelled" | "Dropped" | "Withdrawn" | "Superseded" | "NotNeeded" | "Duplicate"
        | "Archived" | "Over" | "Lifted" => face("archive", Tint::Plain),
        _ => None,
    }
}

/// The face of a state.
pub fn of_state(state: &str) -> Face {
    known(state).unwrap_or(Face { icon: "dot", tint: Tint::Plain })
}

/// Our own drawings: 24 units square, a stroke of two units, round ends.
const ICONS: [(&str, &str); 44] = [
    ("alert", "M12 4.5 21 19.5H3zM12 10v4.2M12 17v.1"),
    ("archive", "M4 5.5h16v4H4zM5.5 9.5V19h13V9.5M10 13h4"),
    ("back", "M9 6 4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-3"),
    ("before", "M15 5l-7 7 7 7"),
    ("badge", "M5 4h14v11H5zM8.5 8h7M8.5 11h3.5M14 15v5.5l2-1.3 2 1.3V15"),
    ("bank", "M4 10 12 4.5 20 10zM6 10v8M10 10v8M14 10v8M18 10v8M3.5 20h17"),
    ("check", "M5 12.8 9.8 17.5 19 7.5"),
    ("clock", "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM12 7.8V12l3 2"),
    ("cross", "M6.5 6.5l11 11M17.5 6.5l-11 11"),
    ("copy", "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4"),
    (
        "database",
        "M5 6.5c0-3.4 14-3.4 14 0v11c0 3.4-14 3.4-14 0zM5 6.5c0 3.4 14 3.4 14 0M5 12c0 3.4 14 3.4 14 0",
    ),
    ("doc", "M6 3.8h8l4 4v12.4H6zM14 3.8v4h4M9 13l2 2 4-4"),
    ("dot", "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z"),
    ("download", "M12 4v10.5M7.5 10.5 12 15l4.5-4.5M5 19.5h14"),
    (
        "eye",
        "M2.8 12C6.5 5.5 17.5 5.5 21.2 12 17.5 18.5 6.5 18.5 2.8 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
    ),
    ("fit", "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"),
    ("frames", "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M7.5 12h9"),
    (
        "gear",
        "M12 8.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4zM12 3.5v3M12 17.5v3M3.5 12h3M17.5 12h3M6 6l2.1 2.1M15.9 15.9 18 18M6 18l2.1-2.1M15.9 8.1 18 6",
    ),
    (
        "globe",
        "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM4 12h16M12 3.8c4.5 4.7 4.5 11.7 0 16.4M12 3.8c-4.5 4.7-4.5 11.7 0 16.4",
    ),
    ("hand", "M8.5 3.8h7l4.7 4.7v7l-4.7 4.7h-7L3.8 15.5v-7zM8.5 12h7"),
    (
        "hidden",
        "M4 4l16 16M9.5 6.3C15 4.6 19 8 21.2 12a15 15 0 0 1-2.6 3.4M14.5 17.7C9 19.4 5 16 2.8 12a15 15 0 0 1 3-3.8M10 10.3a2.5 2.5 0 0 0 3.6 3.5",
    ),
    ("inbox", "M4 13.5 6.5 5h11l2.5 8.5V19H4zM4 13.5h4.5l1 2.5h5l1-2.5H20"),
    ("info", "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM12 11v5M12 8v.1"),
    (
        "key",
        "M8 11.5a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM11 12.7 19.5 4.2M16 7.7l2.8 2.8M13.8 9.9l1.9 1.9",
    ),
    ("keyboard", "M3.5 7h17v10.5h-17zM7 10.5h.1M10.3 10.5h.1M13.6 10.5h.1M17 10.5h.1M8 14h8"),
    (
        "link",
        "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
    ),
    ("list", "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.1M4.5 12h.1M4.5 17.5h.1"),
    ("lock", "M5.5 10.5h13v9.5h-13zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14v2.5"),
    ("mail", "M3.8 6h16.4v12.5H3.8zM4.2 6.8 12 13l7.8-6.2"),
    ("minus", "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.8 4.8M8 10.5h5"),
    ("next", "M9 5l7 7-7 7"),
    ("out", "M10 4.5H4.5v15H10M15 8l4.5 4-4.5 4M9.5 12h9.5"),
    ("pen", "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5"),
    (
        "people",
        "M9 4.8a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM3 19.5c.3-7 11.7-7 12 0M15.5 5.3a3.4 3.4 0 0 1 0 6M17.5 14c2 .8 3.3 2.5 3.5 5.5",
    ),
    ("person", "M12 4.3a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6zM4.8 20c.4-8 14-8 14.4 0"),
    ("plus", "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.8 4.8M8 10.5h5M10.5 8v5"),
    ("printer", "M7 9V4h10v5M7 16.5H4V9h16v7.5h-3M7 14h10v6H7z"),
    ("search", "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.8 4.8"),
    (
        "shield",
        "M12 3.5 19.5 6v6c0 4.5-3 7-7.5 8.5C7.5 19 4.5 16.5 4.5 12V6zM8.5 12l2.5 2.5 4.5-4.5",
    ),
    ("stamp", "M9.5 13V9.8C7 7.5 8.8 3.8 12 3.8s5 3.7 2.5 6V13M5 13h14v4H5zM5 20.3h14"),
    ("table", "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14"),
    ("turn", "M19 12a7 7 0 1 1-2.2-5.1M19.5 3.5v4.2h-4.2"),
    ("way", "M12 20.5V4M12 6h6l2 2.2-2 2.3h-6M12 12H6l-2 2.2 2 2.3h6"),
    ("window", "M4 5.5h10M4 5.5v13h13v-10M4 9h8M14 4h6v6M20 4l-7 7"),
];

/// The sign of the product, as it stands in the head of every page.
pub fn mark() -> String {
    // A picture in a browser's tab has no style sheet, so its colours stand here.
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
     <rect width=\"32\" height=\"32\" rx=\"8\" fill=\"#ffd43d\"/>\
     <path d=\"M25 13.5A9.5 9.5 0 0 0 7.7 11.5M7 18.5a9.5 9.5 0 0 0 17.3 2M7.5 6v5.5H13\
     M24.5 26v-5.5H19M16 13.2v3.3l2.2 1.4\" fill=\"none\" stroke=\"#0b1f52\" stroke-width=\"2.6\" \
     stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>"
        .to_owned()
}

/// Every icon as a symbol of one file.
pub fn sprite() -> String {
    let symbol = |(name, path): (&str, &str)| {
        format!("<symbol id=\"{name}\" viewBox=\"0 0 24 24\"><path d=\"{path}\"/></symbol>")
    };
    let symbols: String = ICONS.into_iter().map(symbol).collect();
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{symbols}</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{DIAGRAMS, TEMPLATES};
    use crate::web::diagram::Graph;

    #[test]
    fn every_state_of_every_workflow_has_a_face() {
        for (file, text) in DIAGRAMS {
            for state in Graph::parse(text).states {
                let face = known(&state).unwrap_or_else(|| panic!("{file}: {state} has no face"));
                assert!(ICONS.iter().any(|(name, _)| *name == face.icon), "{}", face.icon);
            }
        }
    }

    #[test]
    fn every_icon_that_a_template_names_is_drawn() {
        for (file, text) in TEMPLATES {
            for part in text.split("icon(\"").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(ICONS.iter().any(|(known, _)| *known == name), "{file}: {name}");
            }
        }
    }
}
