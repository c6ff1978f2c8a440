//! The outline of the world's land, as a path for a map of any extent.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// Natural Earth 1:50m land, public domain, converted by us; see `assets/README.md`.
const LAND: &str = include_str!("../../assets/land.txt");

/// A map's extent and scale: equirectangular, degrees to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// Western edge, degrees; may be below −180 where a map crosses the antimeridian.
    pub west: f64,
    /// Northern edge, degrees.
    pub north: f64,
    /// Pixels per degree of longitude.
    pub x_scale: f64,
    /// Pixels per degree of latitude.
    pub y_scale: f64,
    /// Width and height, pixels.
    pub size: (u32, u32),
}

impl Projection {
    /// Where a point is on the map, pixels from the upper left corner.
    #[must_use]
    pub fn place(&self, lat: f64, lon: f64) -> (f64, f64) {
        ((lon - self.west) * self.x_scale, (self.north - lat) * self.y_scale)
    }

    /// A longitude moved by whole turns so that it lies in the map's range, if it can.
    #[must_use]
    pub fn turn(&self, lon: f64) -> f64 {
        self.west + (lon - self.west).rem_euclid(360.0)
    }
}

type Ring = Vec<(f64, f64)>;

fn rings() -> &'static [Ring] {
    static RINGS: OnceLock<Vec<Ring>> = OnceLock::new();
    RINGS.get_or_init(|| parse(LAND))
}

/// Rings of (longitude, latitude) in degrees.
fn parse(text: &str) -> Vec<Ring> {
    let pair = |word: &str| -> Option<(i32, i32)> {
        let (lon, lat) = word.split_once(',')?;
        Some((lon.parse().ok()?, lat.parse().ok()?))
    };
    let ring = |line: &str| {
        let (mut lon, mut lat) = (0, 0);
        line.split_ascii_whitespace()
            .filter_map(pair)
            .map(|(dx, dy)| {
                (lon, lat) = (lon + dx, lat + dy);
                (f64::from(lon) / 10.0, f64::from(lat) / 10.0)
            })
            .collect()
    };
    text.lines().map(ring).collect()
}

/// Path data of the land on a map; points that would not be told apart are left out.
#[must_use]
pub fn path(projection: &Projection) -> String {
    let mut out = String::new();
    let (width, height) = (f64::from(projection.size.0), f64::from(projection.size.1));
    for turn in [-360.0, 0.0, 360.0] {
        for ring in rings() {
            let places: Vec<(f64, f64)> =
                ring.iter().map(|&(lon, lat)| projection.place(lat, lon + turn)).collect();
            let outside = |test: &dyn Fn(&(f64, f64)) -> bool| places.iter().all(test);
            if outside(&|p| p.0 < 0.0)
                || outside(&|p| p.0 > width)
                || outside(&|p| p.1 < 0.0)
                || outside(&|p| p.1 > height)
            {
                continue;
            }
            push_ring(&mut out, &places, (width, height));
        }
    }
    out
}

fn push_ring(out: &mut String, places: &[(f64, f64)], (width, height): (f64, f64)) {
    // Whatever lies far outside is drawn by its edge: the picture is clipped anyway.
    let near = |(x, y): (f64, f64)| {
        let x = x.clamp(-40.0, width + 40.0);
        let y = y.clamp(-40.0, height + 40.0);
        ((x * 10.0).round() as i32, (y * 10.0).round() as i32)
    };
    let mut kept: Vec<(i32, i32)> = Vec::new();
    for &place in places {
        let (x, y) = near(place);
        // Seven tenths of a pixel cannot be seen.
        let new = kept.last().is_none_or(|&(a, b)| (x - a).abs() + (y - b).abs() >= 7);
        if new {
            kept.push((x, y));
        }
    }
    if kept.len() < 3 {
        return;
    }
    let mut last = kept[0];
    let _ = write!(out, "M{} {}l", tenth(last.0), tenth(last.1));
    for (index, &(x, y)) in kept.iter().skip(1).enumerate() {
        let (dx, dy) = (tenth(x - last.0), tenth(y - last.1));
        let lead = if index == 0 || dx.starts_with('-') { "" } else { " " };
        let space = if dy.starts_with('-') { "" } else { " " };
        let _ = write!(out, "{lead}{dx}{space}{dy}");
        last = (x, y);
    }
    out.push('z');
}

fn tenth(value: i32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.abs() / 10, value.abs() % 10);
    match (whole, rest) {
        (0, 0) => "0".to_owned(),
        (whole, 0) => format!("{sign}{whole}"),
        (0, rest) => format!("{sign}.{rest}"),
        (whole, rest) => format!("{sign}{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a point is on land, by the crossing rule.
    fn on_land(lat: f64, lon: f64) -> bool {
        let crossings = |ring: &Ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter()
                .zip(next)
                .filter(|(a, b)| {
                    (a.1 > lat) != (b.1 > lat)
                        && lon < (b.0 - a.0) * (lat - a.1) / (b.1 - a.1) + a.0
                })
                .count()
        };
        rings().iter().map(crossings).sum::<usize>() % 2 == 1
    }

    #[test]
    fn land_is_where_land_is() {
        for (lat, lon) in [
            (48.85, 2.35),
            (39.1, -94.6),
            (-23.5, -46.6),
            (-1.3, 36.8),
            (35.9, 139.5),
            (-25.0, 133.0),
        ] {
            assert!(on_land(lat, lon), "{lat} {lon}");
        }
        for (lat, lon) in [(0.0, -30.0), (30.0, -150.0), (-40.0, 80.0), (35.0, 18.0)] {
            assert!(!on_land(lat, lon), "{lat} {lon}");
        }
    }

    #[test]
    fn the_asset_is_small_and_whole() {
        assert!(LAND.len() <= 80_000, "{}", LAND.len());
        let rings = parse(LAND);
        assert!(rings.len() > 100 && rings.iter().all(|ring| ring.len() >= 3));
        let inside =
            |&(lon, lat): &(f64, f64)| (-180.0..=180.0).contains(&lon) && lat.abs() <= 90.0;
        assert!(rings.iter().flatten().all(inside));
    }
}
