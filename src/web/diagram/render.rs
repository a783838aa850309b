//! From graph and trail to SVG and Mermaid.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::layout::{Link, Place, Placed, lay_out};
use super::{Flow, Graph, Scope, Trail, Words};

/// A state reached from so many others is told as a number instead of drawn as arrows.
const NEARLY_EVERYWHERE: usize = 4;
/// Free space around the drawing.
const MARGIN: f64 = 14.0;
const NAME_SIZE: f64 = 15.0;
const NOTE_SIZE: f64 = 12.0;
const LABEL_SIZE: f64 = 12.0;
/// Labels longer than so many letters are broken, counted as full-width ones.
const LABEL_LETTERS: f64 = 6.5;
const NAME_LETTERS: f64 = 8.0;

/// One state to be drawn.
struct State<'a> {
    name: &'a str,
    lines: Vec<String>,
    note: Option<String>,
    visits: usize,
    standing: Standing,
    is_end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The dot where every case begins.
    Start,
    Now,
    Passed,
    Ahead,
}

impl Standing {
    fn class(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Now => "now",
            Self::Passed => "passed",
            Self::Ahead => "ahead",
        }
    }
}

/// One arrow to be drawn.
struct Line<'a> {
    from: &'a str,
    to: &'a str,
    label: Vec<String>,
    is_taken: bool,
}

/// What is drawn of a graph.
struct Sketch<'a> {
    states: Vec<State<'a>>,
    lines: Vec<Line<'a>>,
}

impl<'a> Sketch<'a> {
    fn new(graph: &'a Graph, trail: &'a Trail, words: &dyn Words, scope: Scope) -> Self {
        let passed = trail.states();
        let arrows = drawn(graph, trail, &passed, scope);
        let mut names: Vec<&str> = passed.clone();
        let start = graph.start.as_deref().filter(|_| scope == Scope::All || passed.is_empty());
        names.extend(start.filter(|start| !passed.contains(start)));
        for (from, to, _) in &arrows {
            for name in [*from, *to] {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if scope == Scope::All {
            names.extend(graph.states.iter().map(String::as_str).filter(|name| {
                // States that only hubs would lead to are still part of the whole.
                !arrows.iter().any(|(from, to, _)| from == name || to == name)
                    && !passed.contains(name)
                    && graph.start.as_deref() != Some(name)
            }));
        }
        let state = |name: &&'a str| state(graph, trail, words, name, &arrows, scope);
        let line = |(from, to, commands): &(&'a str, &'a str, Vec<&str>)| {
            let taken = trail.taken(from, to);
            let shown: Vec<&str> = if taken.is_empty() {
                commands.clone()
            } else {
                taken.iter().copied().collect()
            };
            let label = label(words, &shown);
            Line { from, to, label, is_taken: !taken.is_empty() }
        };
        Self {
            states: names.iter().map(state).collect(),
            lines: arrows.iter().map(line).collect(),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|state| state.name == name)
    }
}

type Bundle<'a> = (&'a str, &'a str, Vec<&'a str>);

/// The arrows worth drawing: those taken first, in the order of the way.
fn drawn<'a>(
    graph: &'a Graph,
    trail: &'a Trail,
    passed: &[&'a str],
    scope: Scope,
) -> Vec<Bundle<'a>> {
    let mut arrows: Vec<Bundle<'a>> = Vec::new();
    for step in trail.steps.iter().filter(|step| step.from != step.to) {
        if !arrows.iter().any(|(from, to, _)| *from == step.from && *to == step.to) {
            arrows.push((&step.from, &step.to, vec![&step.command]));
        }
    }
    let bundles = graph.bundles();
    let is_drawn = |arrows: &[Bundle<'_>], from: &str, to: &str| {
        arrows.iter().any(|(a, b, _)| *a == from && *b == to)
    };
    match scope {
        Scope::All => {
            for (from, to, commands) in bundles.iter() {
                let is_hub = sources(graph, to) >= NEARLY_EVERYWHERE;
                if !is_hub && !is_drawn(&arrows, from, to) {
                    arrows.push((from, to, commands.clone()));
                }
            }
        }
        Scope::Way => {
            // Each state ahead is reached by one arrow: from where the case was last able to go
            // there. What it can no longer reach would only blur the way.
            let mut shown: BTreeSet<&str> = passed.iter().copied().collect();
            for state in passed.iter().rev() {
                let is_now = trail.current.as_deref() == Some(*state);
                for (from, to, commands) in bundles.iter().filter(|(from, ..)| from == state) {
                    let is_common = !is_now && sources(graph, to) >= NEARLY_EVERYWHERE;
                    let leaves_from_start = graph.start.as_deref() == Some(*from);
                    if is_common || leaves_from_start || (trail.is_ended && is_now) {
                        continue;
                    }
                    if shown.insert(to) {
                        arrows.push((from, to, commands.clone()));
                    }
                }
            }
            if passed.is_empty() {
                arrows.extend(bundles);
            }
        }
    }
    arrows
}

/// From how many other states one is reached.
fn sources(graph: &Graph, state: &str) -> usize {
    let into = graph.arrows.iter().filter(|arrow| arrow.to == state && arrow.from != state);
    into.map(|arrow| arrow.from.as_str()).collect::<BTreeSet<_>>().len()
}

fn state<'a>(
    graph: &Graph,
    trail: &Trail,
    words: &dyn Words,
    name: &'a str,
    arrows: &[Bundle<'_>],
    scope: Scope,
) -> State<'a> {
    let is_now = trail.current.as_deref() == Some(name);
    let visits = trail.visits(name);
    let standing = if is_now {
        Standing::Now
    } else if graph.start.as_deref() == Some(name) || name == "Start" {
        Standing::Start
    } else if visits > 0 {
        Standing::Passed
    } else {
        Standing::Ahead
    };
    let into = arrows.iter().filter(|(_, to, _)| *to == name).count();
    let hidden = sources(graph, name);
    let note = match standing {
        Standing::Start => None,
        Standing::Ahead if scope == Scope::All && hidden > into => Some(words.sources(hidden)),
        Standing::Ahead => None,
        Standing::Now | Standing::Passed => words.note(name),
    };
    let lines = if standing == Standing::Start {
        Vec::new()
    } else {
        broken(&words.state(name), NAME_LETTERS)
    };
    State { name, lines, note, visits, standing, is_end: graph.is_end(name) }
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

/// Breaks a text into lines of about equal length: at spaces, and between Japanese letters.
fn broken(text: &str, letters: f64) -> Vec<String> {
    let whole = width(text, 1.0);
    if whole <= letters {
        return vec![text.to_owned()];
    }
    let count = (whole / letters).ceil();
    let wanted = whole / count;
    let mut lines = vec![String::new()];
    let mut pieces: Vec<String> = Vec::new();
    for letter in text.chars() {
        let glues = letter.is_ascii() || "、。・）)」ーっゃゅょァィゥェォッャュョんンをずみしたるにはがのでもりまち".contains(letter);
        match pieces.last_mut() {
            Some(piece) if glues && !piece.ends_with(' ') => piece.push(letter),
            _ => pieces.push(letter.to_string()),
        }
    }
    for piece in pieces {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && width(line, 1.0) + width(&piece, 1.0) / 2.0 > wanted {
            lines.push(piece);
        } else {
            line.push_str(&piece);
        }
    }
    lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// How wide a text is at a size: Japanese letters are square, others a bit more than half.
fn width(text: &str, size: f64) -> f64 {
    let letter = |letter: char| match letter {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '\'' | '|' => 0.32,
        'm' | 'w' | 'M' | 'W' => 0.88,
        'A'..='Z' => 0.68,
        letter if letter.is_ascii() || ('\u{a0}'..'\u{2000}').contains(&letter) => 0.57,
        _ => 1.0,
    };
    text.chars().map(letter).sum::<f64>() * size
}

fn widest(lines: &[String], size: f64) -> f64 {
    lines.iter().map(|line| width(line, size)).fold(0.0, f64::max)
}

fn count(lines: &[String]) -> f64 {
    u32::try_from(lines.len()).map_or(0.0, f64::from)
}

/// A box's width and height.
fn measure(state: &State<'_>) -> (f64, f64) {
    if state.standing == Standing::Start {
        return (22.0, 22.0);
    }
    let note = state.note.as_deref().map_or(0.0, |note| width(note, NOTE_SIZE));
    let wide = widest(&state.lines, NAME_SIZE).max(note) + 28.0;
    let high = count(&state.lines) * 20.0 + if state.note.is_some() { 18.0 } else { 0.0 } + 14.0;
    (wide.max(96.0), high.max(44.0))
}

fn label_size(line: &Line<'_>) -> (f64, f64) {
    (widest(&line.label, LABEL_SIZE) + 8.0, count(&line.label) * 15.0 + 6.0)
}

pub(super) fn svg(
    graph: &Graph,
    trail: &Trail,
    words: &dyn Words,
    scope: Scope,
    flow: Flow,
    name: &str,
) -> String {
    let sketch = Sketch::new(graph, trail, words, scope);
    let turn = |(wide, high): (f64, f64)| match flow {
        Flow::Across(_) => Place { along: wide, across: high },
        Flow::Down => Place { along: high, across: wide },
    };
    let boxes: Vec<Place> = sketch.states.iter().map(|state| turn(measure(state))).collect();
    let links: Vec<Link> = sketch
        .lines
        .iter()
        .filter_map(|line| {
            let (from, to) = (sketch.place(line.from)?, sketch.place(line.to)?);
            Some(Link { from, to, label: turn(label_size(line)), is_main: line.is_taken })
        })
        .collect();
    let mut placed = lay_out(&boxes, &links);
    if let Flow::Across(widest) = flow {
        placed.fold(&boxes, widest - 2.0 * MARGIN);
    }
    let pen = Pen { sketch: &sketch, placed: &placed, flow, name };
    pen.draw(&words.title(), &words.description(trail))
}

struct Pen<'a> {
    sketch: &'a Sketch<'a>,
    placed: &'a Placed,
    flow: Flow,
    name: &'a str,
}

impl Pen<'_> {
    fn draw(&self, title: &str, description: &str) -> String {
        let size = self.point(self.placed.size);
        let (wide, high) = (size.0 + MARGIN, size.1 + MARGIN);
        let name = self.name;
        let flow = if self.flow == Flow::Down { "down" } else { "across" };
        let mut out = format!(
            "<svg class=\"sd {flow}\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" \
             height=\"{high:.0}\" role=\"img\" aria-labelledby=\"{name}-t {name}-d\">\
             <title id=\"{name}-t\">{}</title><desc id=\"{name}-d\">{}</desc><defs>",
            escaped(title),
            escaped(description)
        );
        for kind in ["ahead", "taken"] {
            let _ = write!(
                out,
                "<marker id=\"{name}-{kind}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
                 markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" \
                 orient=\"auto\"><path class=\"tip {kind}\" d=\"M0 .6 10 5 0 9.4z\"/></marker>"
            );
        }
        out.push_str("</defs>");
        let mut order: Vec<usize> = (0..self.sketch.lines.len()).collect();
        order.sort_by_key(|index| self.sketch.lines.get(*index).map(|line| line.is_taken));
        for index in &order {
            self.path(&mut out, *index);
        }
        for index in &order {
            self.label(&mut out, *index);
        }
        for index in 0..self.sketch.states.len() {
            self.state(&mut out, index);
        }
        out.push_str("</svg>");
        out
    }

    fn point(&self, place: Place) -> (f64, f64) {
        let (x, y) = match self.flow {
            Flow::Across(_) => (place.along, place.across),
            Flow::Down => (place.across, place.along),
        };
        (x + MARGIN, y + MARGIN)
    }

    fn path(&self, out: &mut String, index: usize) {
        let (Some(line), Some(led)) = (self.sketch.lines.get(index), self.placed.links.get(index))
        else {
            return;
        };
        let kind = if line.is_taken { "taken" } else { "ahead" };
        let _ = write!(out, "<path class=\"arrow {kind}\" d=\"");
        let mut previous: Option<Place> = None;
        for place in &led.points {
            let (x, y) = self.point(*place);
            match previous {
                None => {
                    let _ = write!(out, "M{x:.1} {y:.1}");
                }
                Some(before)
                    if (before.across - place.across).abs() < 0.5
                        || (before.along - place.along).abs() < 0.5 =>
                {
                    let _ = write!(out, "L{x:.1} {y:.1}");
                }
                Some(before) => {
                    let middle = f64::midpoint(before.along, place.along);
                    let one = self.point(Place { along: middle, across: before.across });
                    let two = self.point(Place { along: middle, across: place.across });
                    let _ = write!(
                        out,
                        "C{:.1} {:.1} {:.1} {:.1} {x:.1} {y:.1}",
                        one.0, one.1, two.0, two.1
                    );
                }
            }
            previous = Some(*place);
        }
        let _ = write!(out, "\" marker-end=\"url(#{}-{kind})\"/>", self.name);
    }

    fn label(&self, out: &mut String, index: usize) {
        let (Some(line), Some(led)) = (self.sketch.lines.get(index), self.placed.links.get(index))
        else {
            return;
        };
        let (x, y) = self.point(led.label);
        let taken = if line.is_taken { " taken" } else { "" };
        let first = y - (count(&line.label) - 1.0) * 7.5 + 4.0;
        for (at, text) in line.label.iter().enumerate() {
            let y = f64::from(u32::try_from(at).unwrap_or_default()).mul_add(15.0, first);
            let _ = write!(
                out,
                "<text class=\"by{taken}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                escaped(text)
            );
        }
    }

    fn state(&self, out: &mut String, index: usize) {
        let (Some(state), Some(place)) =
            (self.sketch.states.get(index), self.placed.boxes.get(index))
        else {
            return;
        };
        let (x, y) = self.point(*place);
        let class = state.standing.class();
        if state.standing == Standing::Start {
            let _ = write!(out, "<circle class=\"start\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>");
            return;
        }
        let (wide, high) = measure(state);
        let (left, top) = (x - wide / 2.0, y - high / 2.0);
        let end = if state.is_end { " end" } else { "" };
        let _ = write!(
            out,
            "<g class=\"state {class}{end}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" \
             width=\"{wide:.1}\" height=\"{high:.1}\" rx=\"10\"/>"
        );
        if state.is_end {
            let _ = write!(
                out,
                "<rect class=\"inner\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\" rx=\"7\"/>",
                left + 3.5,
                top + 3.5,
                wide - 7.0,
                high - 7.0
            );
        }
        let rows = count(&state.lines) * 20.0 + if state.note.is_some() { 18.0 } else { 0.0 };
        let mut at = y - rows / 2.0 + 15.5;
        for text in &state.lines {
            let text = escaped(text);
            let _ = write!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{at:.1}\">{text}</text>");
            at += 20.0;
        }
        if let Some(note) = &state.note {
            let note = escaped(note);
            let _ = write!(
                out,
                "<text class=\"note\" x=\"{x:.1}\" y=\"{:.1}\">{note}</text>",
                at - 2.0
            );
        }
        if state.visits > 0 {
            let (cx, cy) = (left + wide - 1.0, top + 1.0);
            let _ = write!(
                out,
                "<circle class=\"count\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"10\"/>\
                 <text class=\"count\" x=\"{cx:.1}\" y=\"{:.1}\">{}</text>",
                cy + 4.3,
                state.visits
            );
        }
        out.push_str("</g>");
    }
}

pub(super) fn mermaid(graph: &Graph, trail: &Trail, words: &dyn Words, scope: Scope) -> String {
    let sketch = Sketch::new(graph, trail, words, scope);
    let id = |name: &str| name.replace('.', "_");
    let mut out = String::from("stateDiagram-v2\n");
    for state in &sketch.states {
        let mut shown = state.lines.concat();
        if let Some(note) = &state.note {
            let _ = write!(shown, " / {note}");
        }
        if state.standing == Standing::Start {
            let _ = writeln!(out, "    [*] --> {}", id(state.name));
        } else {
            let _ = writeln!(out, "    {} : {shown}", id(state.name));
        }
        if state.standing != Standing::Start {
            let _ = writeln!(out, "    class {} {}", id(state.name), state.standing.class());
        }
    }
    for line in &sketch.lines {
        let label = line.label.join(" / ");
        let _ = writeln!(out, "    {} --> {} : {label}", id(line.from), id(line.to));
    }
    for state in sketch.states.iter().filter(|state| state.is_end) {
        let _ = writeln!(out, "    {} --> [*]", id(state.name));
    }
    out.push_str("    classDef passed fill:#e6f5ec,stroke:#197a4b,color:#16181d\n");
    out.push_str("    classDef now fill:#0017c1,stroke:#0017c1,color:#fff\n");
    out.push_str("    classDef ahead fill:#fff,stroke:#6b7280,color:#16181d\n");
    out
}

/// For text and attributes alike.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}
