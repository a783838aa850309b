//! What a case's history says about the graph of its workflow.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::Moment;
use engine::history::Entry;

/// One accepted command of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The command's name.
    pub command: String,
    /// When.
    pub at: Moment,
}

/// The way of a case through its states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// Accepted commands, oldest first.
    pub steps: Vec<Step>,
    /// Where the case stands; `None` for a workflow without a case.
    pub current: Option<String>,
    /// True when it came to rest.
    pub is_ended: bool,
}

impl Trail {
    /// Reads a history, oldest entry first.
    pub fn of(entries: &[Entry], current: &str, is_ended: bool) -> Self {
        let step = |entry: &Entry| Step {
            // The first entry has no state before it.
            from: if entry.from.is_empty() { "Start".to_owned() } else { entry.from.clone() },
            to: entry.to.clone(),
            command: entry.command.clone(),
            at: entry.at,
        };
        let accepted = entries.iter().filter(|entry| entry.kind == "transition");
        Self { steps: accepted.map(step).collect(), current: Some(current.to_owned()), is_ended }
    }

    /// The states passed, in the order of the first visit; the present one among them.
    pub fn states(&self) -> Vec<&str> {
        let mut states: Vec<&str> = Vec::new();
        let first = self.steps.first().map(|step| step.from.as_str());
        let later = self.steps.iter().map(|step| step.to.as_str());
        for state in first.into_iter().chain(later).chain(self.current.as_deref()) {
            if !states.contains(&state) {
                states.push(state);
            }
        }
        states
    }

    /// How often a state was entered.
    pub fn visits(&self, state: &str) -> usize {
        let entered = self.steps.iter().filter(|step| step.to == state && step.from != state);
        let begun = self.steps.first().is_some_and(|step| step.from == state);
        entered.count() + usize::from(begun)
    }

    /// The commands that led from one state to the other.
    pub fn taken(&self, from: &str, to: &str) -> BTreeSet<&str> {
        let steps = self.steps.iter().filter(|step| step.from == from && step.to == to);
        steps.map(|step| step.command.as_str()).collect()
    }

    /// How long the case stood in a state, all visits together, up to `now` for the present one.
    pub fn spent(&self, state: &str, now: Moment) -> Duration {
        let ends = self.steps.iter().skip(1).map(|step| step.at);
        let last = if self.is_ended { self.steps.last().map_or(now, |step| step.at) } else { now };
        let stays = self.steps.iter().zip(ends.chain([last]));
        stays.filter(|(step, _)| step.to == state).map(|(step, end)| end.since(step.at)).sum()
    }

    /// When a state was last entered.
    pub fn entered(&self, state: &str) -> Option<Moment> {
        let entries = self.steps.iter().rev();
        entries.filter(|step| step.to == state && step.from != state).map(|step| step.at).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: &str, to: &str, command: &str, minute: i64) -> Step {
        let at = Moment::from_seconds(60 * minute);
        Step { from: from.into(), to: to.into(), command: command.into(), at }
    }

    #[test]
    fn visits_and_times_add_up() {
        let trail = Trail {
            steps: vec![
                step("Start", "A", "Open", 0),
                step("A", "B", "Go", 10),
                step("B", "B", "Stay", 12),
                step("B", "A", "Back", 15),
                step("A", "B", "Go", 16),
            ],
            current: Some("B".into()),
            is_ended: false,
        };
        let minutes = |state| trail.spent(state, Moment::from_seconds(60 * 20)).as_secs() / 60;
        assert_eq!(trail.states(), ["Start", "A", "B"]);
        assert_eq!((trail.visits("Start"), trail.visits("A"), trail.visits("B")), (1, 2, 2));
        assert_eq!((minutes("A"), minutes("B")), (11, 9));
        assert_eq!(trail.taken("A", "B"), BTreeSet::from(["Go"]));
        assert_eq!(trail.entered("B"), Some(Moment::from_seconds(960)));
    }
}
