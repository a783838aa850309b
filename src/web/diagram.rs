//! State diagrams: what a case has passed, where it stands, and where it may go.
//!
//! The drawing carries classes, no colours: the page's style sheet (or [`standalone`], for a file)
//! decides how it looks, in light, dark, print and forced colours alike.

mod fold;
mod graph;
mod layout;
mod render;
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

/// In which direction the drawing flows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flow {
    /// Left to right, broken into rows no wider than this.
    Across(f64),
    /// Top to bottom: for narrow screens.
    Down,
}

/// A drawing as inline SVG. `name` makes its ids unique on a page.
pub fn svg(
    graph: &Graph,
    trail: &Trail,
    words: &dyn Words,
    scope: Scope,
    flow: Flow,
    name: &str,
) -> String {
    render::svg(graph, trail, words, scope, flow, name)
}

/// A drawing as an SVG file of its own, with its colours for light and dark grounds.
pub fn standalone(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    let drawing = render::svg(graph, trail, words, scope, Flow::Across(1340.0), "case");
    let styles = crate::web::embedded::STYLES;
    let style = |wanted: &str| {
        styles.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| *text)
    };
    let ground = "svg{background:var(--surface)}";
    let head = format!("<style>{}{}{ground}</style>", style("1-tokens.css"), style("4-diagram.css"));
    let opening = drawing.find('>').map_or(0, |end| end + 1);
    let (tag, body) = drawing.split_at(opening);
    let tag = tag.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{tag}{head}{body}\n")
}

/// The same as Mermaid text, with the words of one language and three classes of states.
pub fn mermaid(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    render::mermaid(graph, trail, words, scope)
}
