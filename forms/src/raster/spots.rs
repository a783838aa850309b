//! Connected dark areas of a patch, given row by row.

/// All places that hang together with `start`, corners included; they are marked as seen.
pub(crate) fn flood(start: usize, dark: &[bool], seen: &mut [bool], width: usize) -> Vec<usize> {
    let (mut spot, mut next) = (vec![start], 0);
    if let Some(seen) = seen.get_mut(start) {
        *seen = true;
    }
    while let Some(at) = spot.get(next).copied() {
        next += 1;
        let column = at % width;
        for (dy, dx) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)] {
            if column + dx == 0 || column + dx > width {
                continue;
            }
            let Some(to) = (at + dy * width + dx).checked_sub(width + 1) else { continue };
            if dark.get(to) == Some(&true)
                && let Some(fresh) = seen.get_mut(to)
                && !*fresh
            {
                *fresh = true;
                spot.push(to);
            }
        }
    }
    spot
}

/// Every dark area, in the order of its first place.
pub(crate) fn spots(dark: &[bool], width: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut seen = vec![false; dark.len()];
    (0..dark.len()).filter_map(move |start| {
        let is_fresh = dark.get(start) == Some(&true) && seen.get(start) == Some(&false);
        is_fresh.then(|| flood(start, dark, &mut seen, width))
    })
}

/// What places take: left, top, right, bottom.
pub(crate) fn extent(spot: &[usize], width: usize) -> [usize; 4] {
    let columns = || spot.iter().map(|at| at % width);
    let rows = || spot.iter().map(|at| at / width);
    [
        columns().min().unwrap_or(0),
        rows().min().unwrap_or(0),
        columns().max().unwrap_or(0) + 1,
        rows().max().unwrap_or(0) + 1,
    ]
}
