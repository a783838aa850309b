//! A workflow's graph, read from the small part of Mermaid that the walk writes.

use std::collections::BTreeMap;

/// States and the commands between them, in the order of first mention.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// Names as stored in the history (`Tail.Waiting`).
    pub states: Vec<String>,
    /// One an arrow; loops included.
    pub arrows: Vec<Arrow>,
    /// Where a new case stands.
    pub start: Option<String>,
    /// States that lead to the end mark.
    pub ends: Vec<String>,
}

/// One command from one state to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The command's name.
    pub command: String,
    /// Names of the messages that follow from it.
    pub notices: Vec<String>,
}

impl Graph {
    /// The graph of a workflow as drawn by its walk; `None` when there is no such drawing.
    pub fn of(workflow: &str) -> Option<Self> {
        let table = crate::embedded::DIAGRAMS;
        let named = |(file, _): &&(&str, &str)| file.strip_suffix(".mmd") == Some(workflow);
        table.iter().find(named).map(|(_, text)| Self::parse(text))
    }

    /// Reads `[*] --> A`, `A --> B : Command ✉Notice` and `A --> [*]`; other lines say nothing.
    pub fn parse(text: &str) -> Self {
        let mut graph = Self::default();
        for line in text.lines() {
            let Some((from, rest)) = line.trim().split_once(" --> ") else { continue };
            let (to, label) = rest.split_once(" : ").unwrap_or((rest, ""));
            match (from.trim(), to.trim()) {
                ("[*]", to) => graph.start = Some(graph.state(to)),
                (from, "[*]") => {
                    let end = graph.state(from);
                    graph.ends.push(end);
                }
                (from, to) => {
                    let (from, to) = (graph.state(from), graph.state(to));
                    let mut words = label.split_whitespace();
                    let command = words.next().unwrap_or_default().to_owned();
                    let notices = words.filter_map(|word| word.strip_prefix('✉'));
                    let notices = notices.map(str::to_owned).collect();
                    graph.arrows.push(Arrow { from, to, command, notices });
                }
            }
        }
        graph
    }

    /// A graph of nothing but what a history has seen: for a workflow without a drawing.
    pub fn seen<'a>(steps: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Self {
        let mut graph = Self::default();
        for (from, to, command) in steps {
            let (from, to) = (graph.known(from.to_owned()), graph.known(to.to_owned()));
            let arrow = Arrow { from, to, command: command.to_owned(), notices: Vec::new() };
            if !graph.arrows.contains(&arrow) {
                graph.arrows.push(arrow);
            }
        }
        graph
    }

    /// True when the state leads to the end mark.
    pub fn is_end(&self, state: &str) -> bool {
        self.ends.iter().any(|end| end == state)
    }

    /// Arrows between the same two states as one, loops left out, in the order of first mention.
    pub fn bundles(&self) -> Vec<(&str, &str, Vec<&str>)> {
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut bundles: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for arrow in self.arrows.iter().filter(|arrow| arrow.from != arrow.to) {
            let ends = (arrow.from.as_str(), arrow.to.as_str());
            let place = *places.entry(ends).or_insert(bundles.len());
            if place == bundles.len() {
                bundles.push((ends.0, ends.1, Vec::new()));
            }
            let Some((.., commands)) = bundles.get_mut(place) else { continue };
            if !commands.contains(&arrow.command.as_str()) {
                commands.push(&arrow.command);
            }
        }
        bundles
    }

    /// Mermaid knows no dots in names: the walk writes `Tail_Waiting` for `Tail.Waiting`.
    fn state(&mut self, shown: &str) -> String {
        self.known(shown.replace('_', "."))
    }

    fn known(&mut self, name: String) -> String {
        if !self.states.contains(&name) {
            self.states.push(name.clone());
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "stateDiagram-v2\n    A --> B : Go ✉Told ✉Again\n    A --> B : Run\n    \
                         B --> B : Stay\n    B --> Tail_C : End\n    Tail_C --> [*]\n    [*] --> A\n";

    #[test]
    fn the_walks_mermaid_is_read_back() {
        let graph = Graph::parse(SMALL);
        assert_eq!(graph.states, ["A", "B", "Tail.C"]);
        assert_eq!(graph.start.as_deref(), Some("A"));
        assert_eq!(graph.ends, ["Tail.C"]);
        assert_eq!(graph.arrows.len(), 4);
        assert_eq!(graph.arrows[0].notices, ["Told", "Again"]);
        let bundles = graph.bundles();
        assert_eq!(bundles, [("A", "B", vec!["Go", "Run"]), ("B", "Tail.C", vec!["End"])]);
    }

    #[test]
    fn every_drawing_has_a_start_and_an_end() {
        for (file, text) in crate::embedded::DIAGRAMS {
            let graph = Graph::parse(text);
            assert!(graph.start.is_some(), "{file} has no start");
            assert!(!graph.ends.is_empty() || graph.arrows.len() > 3, "{file} has no end");
            let total = text.lines().filter(|line| line.contains(" --> ")).count();
            let read = graph.arrows.len() + graph.ends.len() + 1;
            assert_eq!(read, total, "{file}: every arrow is read");
        }
    }
}
