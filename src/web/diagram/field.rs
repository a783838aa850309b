//! The items of a drawing in their layers: ordered, straightened, and told where they stand.

use std::collections::BTreeMap;

use super::layout::{Led, Link, Place, Placed};

/// Free space between neighbours in a layer.
const BETWEEN: f64 = 26.0;
/// Free space between an arrow that passes and its neighbours.
const BETWEEN_ARROWS: f64 = 10.0;
/// Free space between layers.
const LAYERS: f64 = 20.0;

/// A place in a layer: a box, or where an arrow passes.
struct Item {
    size: Place,
    layer: usize,
    /// The link that passes here; `None` for a box.
    passes: Option<usize>,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Items that touch: where their first one wants to stand, how much, and each with its offset.
type Block = (f64, f64, Vec<(usize, f64)>);

/// Items in their layers.
pub(super) struct Field {
    items: Vec<Item>,
    layers: Vec<Vec<usize>>,
    /// Centre across, by item.
    across: Vec<f64>,
    /// The items a link passes, from its upper to its lower end.
    ways: Vec<Vec<usize>>,
    main: Vec<bool>,
}

impl Field {
    pub(super) fn new(
        boxes: &[Place],
        links: &[Link],
        forward: &[(usize, usize)],
        layers: &[usize],
    ) -> Self {
        let depth = layers.iter().max().map_or(0, |last| last + 1);
        let mut field = Self {
            items: Vec::new(),
            layers: vec![Vec::new(); depth],
            across: Vec::new(),
            ways: Vec::new(),
            main: links.iter().map(|link| link.is_main).collect(),
        };
        for (size, layer) in boxes.iter().zip(layers) {
            field.add(*size, *layer, None);
        }
        for (index, (link, (upper, lower))) in links.iter().zip(forward).enumerate() {
            let layer = |node: usize| layers.get(node).copied().unwrap_or_default();
            let (first, last) = (layer(*upper), layer(*lower));
            // The label stays near where the arrow begins.
            let is_turned = link.from != *upper;
            let labelled = if is_turned { last.saturating_sub(1) } else { first + 1 };
            let mut way = Vec::new();
            let mut previous = *upper;
            for layer in first + 1..last {
                let size = if layer == labelled { link.label } else { Place::default() };
                let item = field.add(size, layer, Some(index));
                field.join(previous, item);
                way.push(item);
                previous = item;
            }
            field.join(previous, *lower);
            field.ways.push(way);
        }
        field
    }

    fn add(&mut self, size: Place, layer: usize, passes: Option<usize>) -> usize {
        let index = self.items.len();
        self.items.push(Item { size, layer, passes, above: Vec::new(), below: Vec::new() });
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.push(index);
        }
        self.across.push(0.0);
        index
    }

    fn join(&mut self, upper: usize, lower: usize) {
        if let Some(item) = self.items.get_mut(upper) {
            item.below.push(lower);
        }
        if let Some(item) = self.items.get_mut(lower) {
            item.above.push(upper);
        }
    }

    /// Sweeps down and up, ordering each layer by where its neighbours stand, and keeps the order
    /// with the fewest crossings.
    pub(super) fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for sweep in 0..16 {
            let is_down = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 0..count {
                let layer = if is_down { step } else { count - 1 - step };
                self.sort_layer(layer, is_down);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    fn sort_layer(&mut self, layer: usize, is_down: bool) {
        let positions = self.positions();
        let Some(items) = self.layers.get(layer) else { return };
        let mut keyed: Vec<(f64, usize)> = items
            .iter()
            .enumerate()
            .map(|(at, index)| {
                let around = self
                    .items
                    .get(*index)
                    .map_or(&[][..], |item| if is_down { &item.above } else { &item.below });
                let mut spots: Vec<f64> =
                    around.iter().filter_map(|other| positions.get(other).copied()).collect();
                spots.sort_by(f64::total_cmp);
                let middle = spots.get(spots.len() / 2).copied();
                (middle.unwrap_or_else(|| number(at)), *index)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(items) = self.layers.get_mut(layer) {
            *items = keyed.into_iter().map(|(_, index)| index).collect();
        }
    }

    fn positions(&self) -> BTreeMap<usize, f64> {
        let all = self.layers.iter().flat_map(|layer| layer.iter().enumerate());
        all.map(|(at, index)| (*index, number(at))).collect()
    }

    fn crossings(&self) -> usize {
        let positions = self.positions();
        let spot = |index: &usize| positions.get(index).copied().unwrap_or_default();
        let mut crossings = 0;
        for layer in &self.layers {
            let pairs: Vec<(f64, f64)> = layer
                .iter()
                .filter_map(|index| self.items.get(*index).map(|item| (index, item)))
                .flat_map(|(index, item)| {
                    item.below.iter().map(move |below| (spot(index), spot(below)))
                })
                .collect();
            for (at, one) in pairs.iter().enumerate() {
                let later = pairs.iter().skip(at + 1);
                crossings += later.filter(|two| (one.0 - two.0) * (one.1 - two.1) < 0.0).count();
            }
        }
        crossings
    }

    /// Moves items towards their neighbours without changing the order in any layer.
    pub(super) fn straighten(&mut self) {
        for layer in 0..self.layers.len() {
            self.settle(layer, |_, _| None);
        }
        for round in 0..120 {
            let count = self.layers.len();
            for step in 0..count {
                let layer = if round % 2 == 0 { step } else { count - 1 - step };
                self.settle(layer, Self::wanted);
            }
        }
    }

    /// Where an item wants to stand, and how much.
    fn wanted(&self, index: usize) -> Option<(f64, f64)> {
        let item = self.items.get(index)?;
        let mut sum = 0.0;
        let mut weight = 0.0;
        for other in item.above.iter().chain(&item.below) {
            let pull = self.pull(index, *other);
            sum += pull * self.across.get(*other).copied().unwrap_or_default();
            weight += pull;
        }
        (weight > 0.0).then(|| (sum / weight, weight))
    }

    /// Main arrows are kept straight first, then long ones.
    fn pull(&self, one: usize, other: usize) -> f64 {
        let passes = |index: usize| self.items.get(index).and_then(|item| item.passes);
        let is_main = |link: usize| self.main.get(link).copied().unwrap_or_default();
        match (passes(one), passes(other)) {
            (Some(link), _) | (_, Some(link)) if is_main(link) => 1000.0,
            (Some(_), Some(_)) => 6.0,
            _ => 1.0,
        }
    }

    /// The places nearest to the wanted ones that keep order and distances: pooled averages.
    fn settle(&mut self, layer: usize, wanted: impl Fn(&Self, usize) -> Option<(f64, f64)>) {
        let Some(items) = self.layers.get(layer).cloned() else { return };
        // Seen from the first item, each one has an offset at which it would just fit.
        let mut offset = 0.0;
        let mut previous: Option<usize> = None;
        let mut blocks: Vec<Block> = Vec::new();
        for index in items {
            if let Some(previous) = previous {
                offset += self.distance(previous, index);
            }
            previous = Some(index);
            let (at, weight) = wanted(self, index)
                .unwrap_or((self.across.get(index).copied().unwrap_or_default(), 0.01));
            blocks.push((at - offset, weight, vec![(index, offset)]));
            while let [.., before, last] = blocks.as_mut_slice() {
                if before.0 <= last.0 {
                    break;
                }
                let weight = before.1 + last.1;
                before.0 = before.0.mul_add(before.1, last.0 * last.1) / weight;
                before.1 = weight;
                before.2.append(&mut last.2);
                blocks.pop();
            }
        }
        for (base, _, members) in blocks {
            for (index, offset) in members {
                if let Some(across) = self.across.get_mut(index) {
                    *across = base + offset;
                }
            }
        }
    }

    fn distance(&self, one: usize, other: usize) -> f64 {
        let (Some(a), Some(b)) = (self.items.get(one), self.items.get(other)) else { return 0.0 };
        let gap = if a.passes.is_some() || b.passes.is_some() { BETWEEN_ARROWS } else { BETWEEN };
        f64::midpoint(a.size.across, b.size.across) + gap
    }

    pub(super) fn placed(
        &self,
        boxes: &[Place],
        links: &[Link],
        forward: &[(usize, usize)],
    ) -> Placed {
        let least = self.items.iter().zip(&self.across);
        let least = least.map(|(item, at)| at - item.size.across / 2.0);
        let shift = least.fold(f64::INFINITY, f64::min);
        let widest = self.items.iter().zip(&self.across);
        let widest = widest.map(|(item, at)| at + item.size.across / 2.0 - shift);
        let across = widest.fold(0.0, f64::max);
        let bands = self.bands();
        let centre = |index: usize| {
            let layer = self.items.get(index).map_or(0, |item| item.layer);
            let along = bands.get(layer).map_or(0.0, |(start, end)| f64::midpoint(*start, *end));
            Place { along, across: self.across.get(index).copied().unwrap_or_default() - shift }
        };
        let ports = self.ports(forward);
        let lead = |(index, (link, (upper, lower))): (usize, (&Link, &(usize, usize)))| {
            let (leaves, enters) = ports.get(index).copied().unwrap_or_default();
            let size = |node: usize| boxes.get(node).copied().unwrap_or_default();
            let edge = |node: usize, port: f64, sign: f64| {
                let middle = centre(node);
                Place {
                    along: middle.along + sign * size(node).along / 2.0,
                    across: middle.across + port,
                }
            };
            // A box may be narrower than its layer: the arrow bends only beyond its neighbours.
            let band = |node: usize| {
                let layer = self.items.get(node).map_or(0, |item| item.layer);
                bands.get(layer).copied().unwrap_or_default()
            };
            let leaving = edge(*upper, leaves, 1.0);
            let mut points = vec![leaving, Place { along: band(*upper).1, ..leaving }];
            let way = self.ways.get(index).map(Vec::as_slice).unwrap_or_default();
            let mut label = None;
            for item in way {
                let middle = centre(*item);
                let layer = self.items.get(*item).map_or(0, |item| item.layer);
                let (start, end) = bands.get(layer).copied().unwrap_or_default();
                points.push(Place { along: start, ..middle });
                points.push(Place { along: end, ..middle });
                let is_labelled = self.items.get(*item).is_some_and(|item| item.size.across > 0.0);
                if is_labelled {
                    label = Some(middle);
                }
            }
            let entering = edge(*lower, enters, -1.0);
            points.extend([Place { along: band(*lower).0, ..entering }, entering]);
            // A piece without length would leave the arrow's tip without direction.
            points.dedup_by(|two, one| {
                (two.along - one.along).abs() < 0.01 && (two.across - one.across).abs() < 0.01
            });
            if link.from != *upper {
                points.reverse();
            }
            Led { points, label: label.unwrap_or_default() }
        };
        Placed {
            bands: bands.clone(),
            boxes: (0..boxes.len()).map(centre).collect(),
            links: links.iter().zip(forward).enumerate().map(lead).collect(),
            size: Place { along: bands.last().map_or(0.0, |(_, end)| *end), across },
        }
    }

    /// Where each layer begins and ends.
    fn bands(&self) -> Vec<(f64, f64)> {
        let mut start = 0.0;
        let mut bands = Vec::new();
        for layer in &self.layers {
            let sizes = layer.iter().filter_map(|index| self.items.get(*index));
            let deep = sizes.map(|item| item.size.along).fold(0.0, f64::max);
            bands.push((start, start + deep));
            start += deep + LAYERS;
        }
        bands
    }

    /// Arrows that meet one side of a box are spread over it in the order in which they arrive:
    /// for each link how far from the middle it leaves its upper box and enters its lower one.
    fn ports(&self, forward: &[(usize, usize)]) -> Vec<(f64, f64)> {
        let mut ports = vec![(0.0, 0.0); forward.len()];
        let spot = |item: Option<&usize>, node: usize| {
            self.across.get(*item.unwrap_or(&node)).copied().unwrap_or_default()
        };
        let count = self.items.iter().filter(|item| item.passes.is_none()).count();
        for node in 0..count {
            for is_leaving in [true, false] {
                let mut meeting: Vec<(f64, usize)> = forward
                    .iter()
                    .enumerate()
                    .filter(|(_, ends)| if is_leaving { ends.0 == node } else { ends.1 == node })
                    .map(|(link, ends)| {
                        let way = self.ways.get(link).map(Vec::as_slice).unwrap_or_default();
                        let near = if is_leaving {
                            spot(way.first(), ends.1)
                        } else {
                            spot(way.last(), ends.0)
                        };
                        (near, link)
                    })
                    .collect();
                meeting.sort_by(|a, b| a.0.total_cmp(&b.0));
                let main = |(_, link): &(f64, usize)| self.main.get(*link) == Some(&true);
                let mut mains = meeting.iter().enumerate().filter(|(_, one)| main(one));
                let last = number(meeting.len().saturating_sub(1));
                // A single main arrow keeps to the middle, so that the way stays straight.
                let middle = match (mains.next(), mains.next()) {
                    (Some((at, _)), None) => number(at),
                    _ => last / 2.0,
                };
                let side = self.items.get(node).map_or(0.0, |item| item.size.across);
                let far = middle.max(last - middle).max(0.5);
                let step = ((side / 2.0 - 6.0) / far).min(16.0);
                for (at, (_, link)) in meeting.into_iter().enumerate() {
                    let port = (number(at) - middle) * step;
                    if let Some(ends) = ports.get_mut(link) {
                        if is_leaving { ends.0 = port } else { ends.1 = port }
                    }
                }
            }
        }
        ports
    }
}

/// A count as a length; drawings never hold so many things that this could be inexact.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
