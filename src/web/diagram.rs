//! State diagrams: what a case has passed, where it stands, and where it may go.
//!
//! The drawing carries classes, no colours: the page's style sheet (or [`standalone`], for a file)
//! decides how it looks, in light, dark, print and forced colours alike.

mod field;
mod fold;
mod graph;
mod layout;
mod render;
mod sketch;
mod text;
mod trail;

pub use graph::{Arrow, Graph};
pub use trail::{Step, Trail};

/// The words on a diagram, in one language.
pub trait Words {
    /// A state's name for people.
    fn state(&self, state: &str) -> String;
    /// A command's name for people.
    fn command(&self, command: &str) -> String;
    /// How many further commands lead the same way ("and 3 more").
    fn more(&self, count: usize) -> String;
    /// From how many states one is reached ("from 7 states").
    fn sources(&self, count: usize) -> String;
    /// The heading over the states that are reached from nearly everywhere.
    fn anytime(&self) -> String;
    /// The small line below a state's name: how long, when, or how long yet.
    fn note(&self, state: &str) -> Option<String>;
    /// The drawing's title.
    fn title(&self) -> String;
    /// What the drawing says, as sentences, for those who cannot see it.
    fn description(&self, trail: &Trail) -> String;
}

/// How much of the graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The states passed, and the nearest ones not passed.
    Way,
    /// Every state; arrows to what can be reached from nearly everywhere are counted, not drawn.
    All,
}

/// A drawing as inline SVG, left to right, broken into rows no longer than `longest`.
pub fn svg(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope, longest: f64) -> String {
    render::svg(graph, trail, words, scope, longest)
}

/// A drawing as an SVG file of its own, with its colours for light and dark grounds.
pub fn standalone(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    let drawing = render::svg(graph, trail, words, scope, 1340.0);
    let styles = crate::embedded::STYLES;
    let style = |wanted: &str| {
        styles.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| *text)
    };
    let ground = "svg{background:var(--surface)}";
    let head =
        format!("<style>{}{}{ground}</style>", style("1-tokens.css"), style("4-diagram.css"));
    let opening = drawing.find('>').map_or(0, |end| end + 1);
    let (tag, body) = drawing.split_at(opening);
    let tag = tag.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{tag}{head}{body}\n")
}

/// What may come next: the command and the state it leads to, as names; for narrow screens and
/// for those who read.
pub fn ahead<'a>(graph: &'a Graph, trail: &'a Trail) -> Vec<(&'a str, &'a str)> {
    let Some(now) = trail.current.as_deref().filter(|_| !trail.is_ended) else {
        return Vec::new();
    };
    let leaving = graph.bundles().into_iter().filter(|(from, ..)| *from == now);
    leaving.flat_map(|(_, to, commands)| commands.into_iter().map(move |one| (one, to))).collect()
}

/// The same as Mermaid text, with the words of one language and three classes of states.
pub fn mermaid(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    render::mermaid(graph, trail, words, scope)
}
