//! Places boxes in layers and leads smooth arrows between them.
//!
//! The usual four steps for layered drawings: break cycles, assign layers, order each layer so
//! that few arrows cross, and straighten. Every arrow's label is given a place of its own between
//! the layers, so that no text ever lies on a box or on another text.
//!
//! "Along" is the direction in which the drawing flows, "across" the other one; the caller maps
//! them to x and y.

use super::field::Field;

/// A size or a point: along the flow, and across it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Place {
    pub(super) along: f64,
    pub(super) across: f64,
}

/// An arrow to be led.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Of the label.
    pub(super) label: Place,
    /// Straightened before others.
    pub(super) is_main: bool,
}

/// Where everything goes; the same order as the input.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// Centres of the boxes.
    pub(super) boxes: Vec<Place>,
    pub(super) links: Vec<Led>,
    /// Where each layer begins and ends, along.
    pub(super) bands: Vec<(f64, f64)>,
    /// Of the whole drawing.
    pub(super) size: Place,
}

/// A led arrow.
#[derive(Debug, Default, Clone)]
pub(super) struct Led {
    /// From the edge of one box to the edge of the other.
    pub(super) points: Vec<Place>,
    /// Centre of the label.
    pub(super) label: Place,
}

/// Lays boxes out; the order given decides what is a step back and what is drawn first.
pub(super) fn lay_out(boxes: &[Place], links: &[Link]) -> Placed {
    let forward: Vec<(usize, usize)> = without_cycles(boxes.len(), links);
    let layers = layers(boxes.len(), &forward);
    let mut field = Field::new(boxes, links, &forward, &layers);
    field.order();
    field.straighten();
    field.placed(boxes, links, &forward)
}

/// The links turned so that none leads back to a box from which it can be reached.
fn without_cycles(count: usize, links: &[Link]) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; count];
    let mut turned = vec![false; links.len()];
    for root in 0..count {
        let mut stack = vec![(root, false)];
        while let Some((node, is_leaving)) = stack.pop() {
            let Some(mark) = marks.get_mut(node) else { continue };
            if is_leaving {
                *mark = Mark::Done;
                continue;
            }
            if *mark != Mark::New {
                continue;
            }
            *mark = Mark::Open;
            stack.push((node, true));
            let mut next: Vec<(usize, usize)> = Vec::new();
            for (index, link) in links.iter().enumerate().filter(|(_, link)| link.from == node) {
                match marks.get(link.to) {
                    Some(Mark::Open) => {
                        if let Some(turned) = turned.get_mut(index) {
                            *turned = true;
                        }
                    }
                    Some(Mark::New) => next.push((index, link.to)),
                    _ => {}
                }
            }
            // The first link is followed first, so it goes on top of the stack.
            stack.extend(next.into_iter().rev().map(|(_, to)| (to, false)));
        }
    }
    // A link judged harmless while its target was new may close a cycle that another way opened.
    let ends = |(link, turned): (&Link, bool)| {
        if turned { (link.to, link.from) } else { (link.from, link.to) }
    };
    let mut forward: Vec<(usize, usize)> = links.iter().zip(turned).map(ends).collect();
    for index in 0..forward.len() {
        let Some(&(from, to)) = forward.get(index) else { continue };
        let others = forward.get(..index).unwrap_or_default();
        if reaches(others, to, from)
            && let Some(link) = forward.get_mut(index)
        {
            *link = (to, from);
        }
    }
    forward
}

fn reaches(links: &[(usize, usize)], from: usize, to: usize) -> bool {
    let mut seen = vec![from];
    let mut next = vec![from];
    while let Some(node) = next.pop() {
        if node == to {
            return true;
        }
        for (_, to) in links.iter().filter(|(from, _)| *from == node) {
            if !seen.contains(to) {
                seen.push(*to);
                next.push(*to);
            }
        }
    }
    false
}

/// The longest way to each box decides its layer; boxes stand in even layers, labels in odd ones.
fn layers(count: usize, forward: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0_usize; count];
    for _ in 0..count {
        let mut is_settled = true;
        for (from, to) in forward {
            let wanted = layers.get(*from).map_or(0, |layer| layer + 2);
            if let Some(layer) = layers.get_mut(*to)
                && *layer < wanted
            {
                *layer = wanted;
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, label: Place { along: 60.0, across: 16.0 }, is_main: false }
    }

    fn boxes(count: usize) -> Vec<Place> {
        vec![Place { along: 120.0, across: 50.0 }; count]
    }

    /// No two boxes overlap, no label lies on a box, and every arrow runs from edge to edge.
    fn check(count: usize, links: &[Link]) -> Placed {
        let boxes = boxes(count);
        let placed = lay_out(&boxes, links);
        let apart = |a: Place, sa: Place, b: Place, sb: Place| {
            (a.along - b.along).abs() >= f64::midpoint(sa.along, sb.along) - 1e-6
                || (a.across - b.across).abs() >= f64::midpoint(sa.across, sb.across) - 1e-6
        };
        let labels: Vec<(Place, Place)> =
            placed.links.iter().zip(links).map(|(led, link)| (led.label, link.label)).collect();
        let mut all: Vec<(Place, Place)> =
            placed.boxes.iter().copied().zip(boxes.iter().copied()).collect();
        all.extend(labels);
        for (at, one) in all.iter().enumerate() {
            for two in &all[at + 1..] {
                assert!(apart(one.0, one.1, two.0, two.1), "{one:?} lies on {two:?}");
            }
        }
        for (led, link) in placed.links.iter().zip(links) {
            let (first, last) = (led.points[0], led.points[led.points.len() - 1]);
            assert!((first.along - placed.boxes[link.from].along).abs() < 60.5);
            assert!((last.along - placed.boxes[link.to].along).abs() < 60.5);
            for pair in led.points.windows(2) {
                assert!(pair[0] != pair[1], "a piece of {led:?} has no length");
            }
        }
        placed
    }

    #[test]
    fn a_chain_is_straight() {
        let mut links = vec![link(0, 1), link(1, 2)];
        for link in &mut links {
            link.is_main = true;
        }
        let placed = check(3, &links);
        assert!((placed.boxes[0].across - placed.boxes[2].across).abs() < 0.5);
        assert!(placed.boxes[0].along < placed.boxes[1].along);
    }

    #[test]
    fn loops_back_and_cycles_are_drawn() {
        check(3, &[link(0, 1), link(1, 0), link(1, 2), link(2, 0)]);
        check(4, &[link(0, 1), link(2, 1), link(3, 2), link(1, 3), link(0, 3)]);
    }

    #[test]
    fn a_dense_graph_keeps_everything_apart() {
        let links: Vec<Link> = (0..9)
            .flat_map(|from| (0..9).map(move |to| (from, to)))
            .filter(|(a, b)| a != b)
            .filter(|(a, b)| (a * 7 + b * 3) % 4 == 0)
            .map(|(a, b)| link(a, b))
            .collect();
        assert!(links.len() > 12);
        check(9, &links);
    }
}
