//! What of a graph is worth drawing for a case, in words but without places.

use std::collections::BTreeSet;

use super::text::{broken, width};
use super::{Graph, Scope, Trail, Words};

/// A state reached from so many others is named in a box of its own instead of drawn with arrows.
const NEARLY_EVERYWHERE: usize = 4;
/// Longer names and labels are broken, counted in full-width letters.
const NAME_LETTERS: f64 = 8.0;
const LABEL_LETTERS: f64 = 6.5;
/// Where every case begins, in every workflow.
const START: &str = "Start";
/// The name of the box of states that are reached from nearly everywhere; no state has it.
const ANYTIME: &str = "*";

/// One box to be drawn.
pub(super) struct State<'a> {
    pub(super) name: &'a str,
    pub(super) lines: Vec<String>,
    pub(super) note: Option<String>,
    pub(super) visits: usize,
    pub(super) standing: Standing,
    pub(super) is_end: bool,
}

/// How a box stands to the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The dot where every case begins.
    Start,
    Now,
    Passed,
    Ahead,
    /// The box of states that are reached from nearly everywhere.
    Anytime,
}

impl Standing {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Now => "now",
            Self::Passed => "passed",
            Self::Ahead => "ahead",
            Self::Anytime => "anytime",
        }
    }
}

/// One arrow to be drawn.
pub(super) struct Line<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) label: Vec<String>,
    pub(super) is_taken: bool,
}

/// What is drawn of a graph.
pub(super) struct Sketch<'a> {
    pub(super) states: Vec<State<'a>>,
    pub(super) lines: Vec<Line<'a>>,
}

type Bundle<'a> = (&'a str, &'a str, Vec<&'a str>);

/// What was chosen to be drawn.
#[derive(Default)]
struct Choice<'a> {
    arrows: Vec<Bundle<'a>>,
    /// Named in one box, with the number of states from which each is reached.
    anytime: Vec<(&'a str, usize)>,
}

impl<'a> Sketch<'a> {
    pub(super) fn new(graph: &'a Graph, trail: &'a Trail, words: &dyn Words, scope: Scope) -> Self {
        let passed = trail.states();
        let mut choice = Choice { arrows: taken(trail), anytime: Vec::new() };
        match scope {
            Scope::All => choice.everything(graph, &passed),
            Scope::Way => choice.nearest(graph, trail, &passed),
        }
        let mut names: Vec<&str> = passed;
        for (from, to, _) in &choice.arrows {
            for name in [*from, *to] {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let mut states: Vec<State<'a>> =
            names.iter().map(|name| state(graph, trail, words, name)).collect();
        let mut lines: Vec<Line<'a>> =
            choice.arrows.iter().map(|arrow| line(trail, words, arrow)).collect();
        if !choice.anytime.is_empty() {
            states.push(anytime(words, &choice.anytime, scope));
            let now = trail.current.as_deref().filter(|_| scope == Scope::Way);
            lines.extend(now.map(|from| Line {
                from,
                to: ANYTIME,
                label: Vec::new(),
                is_taken: false,
            }));
        }
        Self { states, lines }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|state| state.name == name)
    }
}

/// The arrows of the way, in its order.
fn taken(trail: &Trail) -> Vec<Bundle<'_>> {
    let mut arrows: Vec<Bundle<'_>> = Vec::new();
    for step in trail.steps.iter().filter(|step| step.from != step.to) {
        if !arrows.iter().any(|(from, to, _)| *from == step.from && *to == step.to) {
            arrows.push((&step.from, &step.to, vec![&step.command]));
        }
    }
    arrows
}

impl<'a> Choice<'a> {
    /// Every arrow, except those to states that nearly every other leads to.
    fn everything(&mut self, graph: &'a Graph, passed: &[&'a str]) {
        for bundle in graph.bundles() {
            let is_hub = sources(graph, bundle.1) >= NEARLY_EVERYWHERE;
            if !is_hub && !self.arrows.iter().any(|(a, b, _)| *a == bundle.0 && *b == bundle.1) {
                self.arrows.push(bundle);
            }
        }
        for state in &graph.states {
            let state = state.as_str();
            let is_drawn = self.arrows.iter().any(|(from, to, _)| *from == state || *to == state);
            let hidden = sources(graph, state);
            let is_hub = hidden >= NEARLY_EVERYWHERE;
            if is_hub && !passed.contains(&state) || !is_drawn && !passed.contains(&state) {
                self.anytime.push((state, hidden));
            }
        }
    }

    /// Each state ahead is reached by one arrow: from where the case was last able to go there.
    /// What it can no longer reach would only blur the way.
    fn nearest(&mut self, graph: &'a Graph, trail: &'a Trail, passed: &[&'a str]) {
        let bundles = graph.bundles();
        if passed.is_empty() {
            self.arrows = bundles;
            return;
        }
        let mut shown: BTreeSet<&str> = passed.iter().copied().collect();
        for state in passed.iter().rev().filter(|state| **state != START) {
            let is_now = trail.current.as_deref() == Some(*state);
            if is_now && trail.is_ended {
                continue;
            }
            for (from, to, commands) in bundles.iter().filter(|(from, ..)| from == state) {
                let hidden = sources(graph, to);
                let is_hub = hidden >= NEARLY_EVERYWHERE;
                if is_hub && !is_now || !shown.insert(to) {
                    continue;
                }
                if is_hub {
                    self.anytime.push((to, hidden));
                } else {
                    self.arrows.push((from, to, commands.clone()));
                }
            }
        }
    }
}

/// From how many other states one is reached.
fn sources(graph: &Graph, state: &str) -> usize {
    let into = graph.arrows.iter().filter(|arrow| arrow.to == state && arrow.from != state);
    into.map(|arrow| arrow.from.as_str()).collect::<BTreeSet<_>>().len()
}

fn state<'a>(graph: &Graph, trail: &Trail, words: &dyn Words, name: &'a str) -> State<'a> {
    let is_now = trail.current.as_deref() == Some(name);
    let visits = trail.visits(name);
    let standing = if is_now {
        Standing::Now
    } else if name == START {
        Standing::Start
    } else if visits > 0 {
        Standing::Passed
    } else {
        Standing::Ahead
    };
    let note = match standing {
        Standing::Now | Standing::Passed => words.note(name),
        _ => None,
    };
    let lines = if standing == Standing::Start {
        Vec::new()
    } else {
        broken(&words.state(name), NAME_LETTERS)
    };
    State { name, lines, note, visits, standing, is_end: graph.is_end(name) }
}

/// The box of states that are reached from nearly everywhere.
fn anytime<'a>(words: &dyn Words, states: &[(&str, usize)], scope: Scope) -> State<'a> {
    let named = |(state, count): &(&str, usize)| {
        let name = words.state(state);
        if scope == Scope::All { format!("{name} {}", words.sources(*count)) } else { name }
    };
    let mut lines: Vec<String> = states.iter().map(named).collect();
    lines.sort_by(|a, b| width(b, 1.0).total_cmp(&width(a, 1.0)));
    State {
        name: ANYTIME,
        lines,
        note: Some(words.anytime()),
        visits: 0,
        standing: Standing::Anytime,
        is_end: false,
    }
}

fn line<'a>(trail: &Trail, words: &dyn Words, (from, to, commands): &Bundle<'a>) -> Line<'a> {
    let taken = trail.taken(from, to);
    let label = if taken.is_empty() {
        label(words, commands)
    } else {
        label(words, &taken.iter().copied().collect::<Vec<_>>())
    };
    Line { from, to, label, is_taken: !taken.is_empty() }
}

/// At most two commands, and how many more.
fn label(words: &dyn Words, commands: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for command in commands {
        let name = words.command(command);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let rest = names.len().saturating_sub(2);
    let mut lines: Vec<String> =
        names.iter().take(2).flat_map(|name| broken(name, LABEL_LETTERS)).collect();
    if rest > 0 {
        lines.push(words.more(rest));
    }
    lines
}
