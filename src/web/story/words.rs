//! The words on the diagram of a case.

use crate::store::cases::CaseFile;
use crate::text::{Language, Texts};
use crate::web::diagram::{Trail, Words};
use crate::web::page::{Visit, name, told};
use crate::web::when;

/// The words of a case's diagram.
pub(super) struct Spoken<'a> {
    pub(super) texts: &'a Texts,
    pub(super) visit: &'a Visit,
    pub(super) file: &'a CaseFile,
    pub(super) trail: &'a Trail,
}

impl Spoken<'_> {
    fn told(&self, key: &str, values: &[(&str, String)]) -> String {
        told(self.texts, self.visit.lang, key, values).unwrap_or_default()
    }
}

impl Words for Spoken<'_> {
    fn state(&self, state: &str) -> String {
        name(self.texts, self.visit.lang, "state", &self.file.row.workflow, state)
    }

    fn command(&self, command: &str) -> String {
        name(self.texts, self.visit.lang, "command", &self.file.row.workflow, command)
    }

    fn more(&self, count: usize) -> String {
        self.told("web.story.more", &[("n", count.to_string())])
    }

    fn sources(&self, count: usize) -> String {
        self.told("web.story.sources", &[("n", count.to_string())])
    }

    fn anytime(&self) -> String {
        self.told("web.story.anytime", &[])
    }

    fn note(&self, state: &str) -> Option<String> {
        let is_now = self.trail.current.as_deref() == Some(state);
        if is_now && self.trail.is_ended {
            return self.trail.entered(state).map(when::short);
        }
        if is_now {
            let next = self.file.deadlines.iter().map(|(due, _)| *due).min();
            let left = next.map(|due| when::span(due.since(self.file.now), self.visit.lang));
            return Some(match left {
                Some(left) => self.told("web.story.here_left", &[("left", left)]),
                None => self.told("web.story.here", &[]),
            });
        }
        Some(when::span(self.trail.spent(state, self.file.now), self.visit.lang))
    }

    fn title(&self) -> String {
        self.told("web.story.diagram_title", &[])
    }

    fn description(&self, trail: &Trail) -> String {
        let way: Vec<String> = trail
            .states()
            .iter()
            .filter(|state| **state != "Start")
            .map(|state| {
                let times = trail.visits(state).to_string();
                let state = self.state(state);
                self.told("web.story.diagram_step", &[("state", state), ("n", times)])
            })
            .collect();
        let current = trail.current.as_deref().map(|state| self.state(state)).unwrap_or_default();
        let key = if trail.is_ended { "web.story.diagram_ended" } else { "web.story.diagram_open" };
        let comma = if self.visit.lang == Language::Japanese { "、" } else { ", " };
        self.told(key, &[("way", way.join(comma)), ("state", current)])
    }
}
