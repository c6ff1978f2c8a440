//! The network on a map, one small map an arm, at the moment of the largest loss.

use super::land::{self, Projection};
use super::moment::{Now, SiteNow, moment, now};
use super::timeline::Context;
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Dash, Ink, LOAD_INKS, Pen, Shape, text_width};
use crate::number::{number, percent, quantity};
use crate::rows::Missing;
use crate::text;
use std::fmt::Write as _;
use std::rc::Rc;
use steerlab_results::engine::net::GeoPoint;
use steerlab_results::view::RunView;

/// Most links drawn: the most loaded ones.
const LINKS_MAX: usize = 400;
/// Most client groups with losses drawn: those that lose most.
const LOSERS_MAX: usize = 120;
/// Most site labels.
const LABELS_MAX: usize = 6;
/// Rows of the data table.
const DATA_ROWS: usize = 30;
/// Upper ends of the steps of load, as shares of capacity.
const LOAD_STEPS: [f64; LOAD_INKS - 1] = [0.5, 0.8, 1.0];
const LOAD_WORDS: [&str; LOAD_INKS] = ["below 50 %", "50 to 80 %", "80 to 100 %", "above 100 %"];

/// The map at the bucket in which an arm lost most.
///
/// # Errors
/// Why there is none.
pub fn worst_moment(context: &Context<'_>) -> Result<Plot, Missing> {
    let view = context.view;
    let places: Vec<GeoPoint> =
        view.scenario.network.sites.rows().iter().filter_map(|site| real(site.location)).collect();
    if places.is_empty() {
        return Err(Missing("No site has a location.".to_owned()));
    }
    let (moment, why) = moment(context)?;
    let arms: Vec<Now> =
        (0..view.summary.arms.len().min(ARMS_MAX)).map(|arm| now(view, arm, moment)).collect();
    let width = if arms.len() > 2 { HALF_PX } else { WIDE_PX };
    let projection = project(&places, width);
    let ground: Rc<str> = land::path(&projection).into();
    let largest = |of: &dyn Fn(&Now) -> f64| arms.iter().map(of).fold(0.0, f64::max);
    let scales = (
        largest(&|now| now.sites.iter().map(|site| site.size).fold(0.0, f64::max)),
        largest(&|now| now.lost_bps.iter().copied().fold(0.0, f64::max)),
    );
    let pictures = arms
        .iter()
        .enumerate()
        .map(|(index, now)| Picture {
            name: view.summary.arms[index].arm.clone(),
            heading: if arms.len() > 1 { Heading::Arm(index) } else { Heading::None },
            description: describe(view, now),
            size: projection.size,
            elements: elements(view, now, &projection, scales),
            ground: Some(Rc::clone(&ground)),
        })
        .collect();
    let instant = context.scale.instant(moment);
    Ok(Plot {
        id: "map".to_owned(),
        title: "The network at its worst moment".to_owned(),
        shows: format!("{instant}: {why} {}{}", losses(view, &arms), placeless(view)),
        how: "Circles are sites: the larger, the more traffic they handle; the fill is their CPU \
              utilisation. Lines are links by what reaches them over their capacity, in the busier \
              direction, wider when busier. Diamonds are client groups that lose traffic, larger when they lose \
              more; a cross on a link marks traffic lost there. All maps show the same moment.",
        legend: legend(),
        pictures,
        data: Some(grid(view, &arms)),
    })
}

/// A location that is one: an old or damaged directory may hold anything.
pub(super) fn real(place: Option<GeoPoint>) -> Option<GeoPoint> {
    place.filter(|place| place.lat.abs() <= 90.0 && place.lon.abs() <= 360.0)
}

/// The world, or the part of it where the sites are.
pub(super) fn project(places: &[GeoPoint], width: u32) -> Projection {
    let mut lons: Vec<f64> = places.iter().map(|place| place.lon).collect();
    lons.sort_by(f64::total_cmp);
    // The widest gap between neighbours in longitude is where the map may be cut.
    let gap = |index: usize| {
        let next = if index + 1 < lons.len() { lons[index + 1] } else { lons[0] + 360.0 };
        next - lons[index]
    };
    let cut = (0..lons.len()).max_by(|&a, &b| gap(a).total_cmp(&gap(b))).unwrap_or(0);
    let west = lons[(cut + 1) % lons.len()];
    let span = 360.0 - gap(cut);
    let lat = |pick: fn(f64, f64) -> f64| places.iter().map(|p| p.lat).reduce(pick).unwrap_or(0.0);
    let (south, north) = (lat(f64::min), lat(f64::max));
    let w = f64::from(width);
    if span > 110.0 || north - south > 70.0 {
        let x_scale = w / 360.0;
        let (north, south) = (north.max(70.0) + 8.0, south.min(-44.0) - 8.0);
        let height = ((north - south) * x_scale).round() as u32;
        return Projection {
            west: -169.0,
            north,
            x_scale,
            y_scale: x_scale,
            size: (width, height),
        };
    }
    let middle = (south + north) / 2.0;
    let squeeze = libm::cos(middle.to_radians()).max(0.2);
    // Width over height between 1.6 and 2.6; margins of an eighth, at least two degrees.
    let pad = |extent: f64| (extent * 0.12).max(2.0);
    let mut lon_extent = span + 2.0 * pad(span);
    let mut lat_extent = north - south + 2.0 * pad(north - south);
    lon_extent = lon_extent.max(1.6 * lat_extent / squeeze);
    lat_extent = lat_extent.max(lon_extent * squeeze / 2.6);
    let x_scale = w / lon_extent;
    let y_scale = x_scale / squeeze;
    Projection {
        west: west + span / 2.0 - lon_extent / 2.0,
        north: middle + lat_extent / 2.0,
        x_scale,
        y_scale,
        size: (width, (lat_extent * y_scale).round() as u32),
    }
}

fn step(load: f64) -> usize {
    LOAD_STEPS.iter().filter(|end| load > **end).count()
}

fn elements(
    view: &RunView,
    now: &Now,
    map: &Projection,
    (size_max, lost_max): (f64, f64),
) -> String {
    let mut out = String::new();
    push_links(&mut out, view, now, map);
    push_losers(&mut out, view, now, map, lost_max);
    let mut sites: Vec<usize> = (0..now.sites.len()).collect();
    // Small circles over large ones.
    sites.sort_by(|&a, &b| now.sites[b].size.total_cmp(&now.sites[a].size).then(a.cmp(&b)));
    // Wide maps have room for larger circles.
    let zoom = f64::from(map.size.0) / f64::from(HALF_PX);
    let zoom = zoom.sqrt();
    let mut drawn = Vec::new();
    for site in sites {
        let row = &view.scenario.network.sites.rows()[site];
        let Some(place) = real(row.location) else { continue };
        let (x, y) = map.place(place.lat, map.turn(place.lon));
        let share = if size_max > 0.0 { (now.sites[site].size / size_max).max(0.0) } else { 0.1 };
        let radius = (2.2 + 5.0 * share.sqrt()) * zoom;
        push_site(&mut out, &now.sites[site], (x, y), radius);
        drawn.push((site, x, y, radius));
    }
    push_labels(&mut out, view, now, map, &drawn);
    out
}

fn push_links(out: &mut String, view: &RunView, now: &Now, map: &Projection) {
    let network = &view.scenario.network;
    let mut links: Vec<usize> = (0..now.links.len()).collect();
    links.sort_by(|&a, &b| now.links[b].load.total_cmp(&now.links[a].load).then(a.cmp(&b)));
    links.truncate(LINKS_MAX);
    let mut crosses = String::new();
    for &link in links.iter().rev() {
        let row = &network.links.rows()[link];
        let ends = row.ends.map(|end| real(network.node_location(end)));
        let ([Some(a), Some(b)], state) = (ends, now.links[link]) else { continue };
        if a == b {
            continue;
        }
        let places = great_circle(a, b, map);
        let class =
            if state.down { "l mu d2" } else { ["l u0", "l u1", "l u2", "l u3"][step(state.load)] };
        let width = if state.down { "1.2" } else { ["1.1", "1.5", "2.2", "3"][step(state.load)] };
        let _ = write!(out, "<path class=\"{class}\" stroke-width=\"{width}\" d=\"");
        push_way(out, &places, 360.0 * map.x_scale);
        out.push_str("\"/>");
        if state.dropped_bps > 0.0 {
            let (x, y) = places[places.len() / 2];
            let _ = write!(
                crosses,
                "<path class=\"l lo\" stroke-width=\"2\" d=\"M{:.1} {:.1}l7 7m0-7l-7 7\"/>",
                x - 3.5,
                y - 3.5
            );
        }
    }
    out.push_str(&crosses);
}

/// Path data along places; where the way leaves the map on one side it comes back on the other.
fn push_way(out: &mut String, places: &[(f64, f64)], turn: f64) {
    let mut before: Option<(f64, f64)> = None;
    for &(x, y) in places {
        match before {
            Some((last, height)) if (x - last).abs() > turn / 2.0 => {
                let shift = if x > last { turn } else { -turn };
                let _ = write!(
                    out,
                    "L{:.1} {y:.1}M{:.1} {height:.1}L{x:.1} {y:.1}",
                    x - shift,
                    last + shift
                );
            }
            Some(_) => {
                let _ = write!(out, "L{x:.1} {y:.1}");
            }
            None => {
                let _ = write!(out, "M{x:.1} {y:.1}");
            }
        }
        before = Some((x, y));
    }
}

/// Places along the shortest way between two points.
fn great_circle(a: GeoPoint, b: GeoPoint, map: &Projection) -> Vec<(f64, f64)> {
    let vector = |p: GeoPoint| {
        let (lat, lon) = (p.lat.to_radians(), p.lon.to_radians());
        [libm::cos(lat) * libm::cos(lon), libm::cos(lat) * libm::sin(lon), libm::sin(lat)]
    };
    let (u, v) = (vector(a), vector(b));
    let dot: f64 = u.iter().zip(&v).map(|(p, q)| p * q).sum();
    let angle = libm::acos(dot.clamp(-1.0, 1.0));
    let pieces = ((angle.to_degrees() / 4.0).ceil() as usize).clamp(1, 40);
    (0..=pieces)
        .map(|piece| {
            let t = piece as f64 / pieces as f64;
            let (p, q) = if libm::sin(angle).abs() < 1e-9 {
                (1.0 - t, t)
            } else {
                let sin = libm::sin(angle);
                (libm::sin((1.0 - t) * angle) / sin, libm::sin(t * angle) / sin)
            };
            let [x, y, z] = [0, 1, 2].map(|axis| p * u[axis] + q * v[axis]);
            let lat = libm::asin(z.clamp(-1.0, 1.0)).to_degrees();
            let lon = libm::atan2(y, x).to_degrees();
            map.place(lat, map.turn(lon))
        })
        .collect()
}

fn push_losers(out: &mut String, view: &RunView, now: &Now, map: &Projection, lost_max: f64) {
    let groups = view.scenario.client_groups.rows();
    let mut losers: Vec<usize> =
        (0..groups.len()).filter(|&group| now.lost_bps[group] > lost_max * 1e-4).collect();
    losers.sort_by(|&a, &b| now.lost_bps[b].total_cmp(&now.lost_bps[a]).then(a.cmp(&b)));
    losers.truncate(LOSERS_MAX);
    for group in losers {
        let Some(place) = real(groups[group].location) else { continue };
        let (x, y) = map.place(place.lat, map.turn(place.lon));
        let r = 1.8 + 4.5 * (now.lost_bps[group] / lost_max).sqrt();
        let _ = write!(
            out,
            "<path class=\"f lo\" opacity=\".7\" d=\"M{x:.1} {:.1}l{r:.1} {r:.1}-{r:.1} {r:.1}-{r:.1}-{r:.1}z\"/>",
            y - r
        );
    }
}

fn push_site(out: &mut String, site: &SiteNow, (x, y): (f64, f64), r: f64) {
    if site.down {
        let _ = write!(
            out,
            "<circle class=\"f pa\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/><circle class=\"l tx\" \
             stroke-width=\"1.6\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/><path class=\"l tx\" \
             stroke-width=\"1.6\" d=\"M{:.1} {:.1}l6 6m0-6l-6 6\"/>",
            x - 3.0,
            y - 3.0
        );
        return;
    }
    let class = ["u0", "u1", "u2", "u3"][step(site.load)];
    let _ = write!(out, "<circle class=\"f {class} o\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\"/>");
    if site.load > 1.0 {
        let _ = write!(
            out,
            "<circle class=\"l u3\" stroke-width=\"1.4\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\"/>",
            r + 2.4
        );
    }
}

/// Where a label of a width fits beside a mark (x, y, and the gap to it): right, left, above or below,
/// inside the map, off other labels, and free of what the caller draws. None: nowhere.
pub(super) fn label_place(
    map: &Projection,
    (x, y, gap): (f64, f64, f64),
    width: f64,
    taken: &[[f64; 4]],
    free: &dyn Fn(f64, f64, f64, f64) -> bool,
) -> Option<(f64, f64)> {
    let choices = [
        (x + gap, y - 6.5),
        (x - gap - width, y - 6.5),
        (x - width / 2.0, y - gap - 13.0),
        (x - width / 2.0, y + gap),
    ];
    choices.into_iter().find(|&(left, top)| {
        let (right, bottom) = (left + width, top + 13.0);
        left >= 2.0
            && right <= f64::from(map.size.0) - 2.0
            && top >= 2.0
            && bottom <= f64::from(map.size.1) - 2.0
            && taken.iter().all(|b| right < b[0] || left > b[2] || bottom < b[1] || top > b[3])
            && free(left, top, right, bottom)
    })
}

/// Names of the sites that matter most, where there is room.
fn push_labels(
    out: &mut String,
    view: &RunView,
    now: &Now,
    map: &Projection,
    drawn: &[(usize, f64, f64, f64)],
) {
    let mut order: Vec<&(usize, f64, f64, f64)> = drawn.iter().collect();
    order.sort_by(|a, b| {
        let key = |site: usize| if now.sites[site].down { f64::MAX } else { now.sites[site].load };
        key(b.0).total_cmp(&key(a.0)).then(a.0.cmp(&b.0))
    });
    let mut taken: Vec<[f64; 4]> = Vec::new();
    let mut labels = 0;
    for &&(site, x, y, r) in &order {
        if labels == LABELS_MAX {
            break;
        }
        let id = text::shorten(&text::clean(&view.scenario.network.sites.rows()[site].id), 18);
        let state = now.sites[site];
        let words = match (state.down, state.known) {
            (true, _) => format!("{id} down"),
            (false, true) if state.load > 0.0 => format!("{id} {}", percent(state.load)),
            _ => id,
        };
        let width = text_width(&words) * 11.0;
        let free = |left: f64, top: f64, right: f64, bottom: f64| {
            drawn.iter().all(|&(other, sx, sy, sr)| {
                other == site
                    || sx + sr < left
                    || sx - sr > right
                    || sy + sr < top
                    || sy - sr > bottom
            })
        };
        let place = label_place(map, (x, y, r + 5.0), width, &taken, &free);
        if let Some((left, top)) = place {
            taken.push([left, top, left + width, top + 13.0]);
            labels += 1;
            let _ = write!(
                out,
                "<text class=\"f tx h\" x=\"{left:.1}\" y=\"{:.1}\" font-size=\"11\">{}</text>",
                top + 10.5,
                text::xml(&words)
            );
        }
    }
}

fn losses(view: &RunView, arms: &[Now]) -> String {
    let parts: Vec<String> = view
        .summary
        .arms
        .iter()
        .zip(arms)
        .map(|(arm, now)| {
            let share = if now.total.1 > 0.0 { now.total.0 / now.total.1 } else { 0.0 };
            let lost = quantity(now.total.0, "bit/s");
            format!("{} {lost} ({})", text::clean(&arm.arm), percent(share))
        })
        .collect();
    format!("Lost then: {}.", parts.join(", "))
}

/// Says how many links cannot be drawn.
fn placeless(view: &RunView) -> String {
    let network = &view.scenario.network;
    let without = |end| real(network.node_location(end)).is_none();
    let count =
        network.links.rows().iter().filter(|link| link.ends.into_iter().any(without)).count();
    match count {
        0 => String::new(),
        1 => " 1 link is not drawn because an end has no location.".to_owned(),
        n => format!(" {} are not drawn because an end has no location.", text::count(n, "link")),
    }
}

fn describe(view: &RunView, now: &Now) -> String {
    let over = now.sites.iter().filter(|site| site.load > 1.0).count();
    let down = now.sites.iter().filter(|site| site.down).count();
    let links = now.links.iter().filter(|link| link.load > 1.0).count();
    let lossy = now.lost_bps.iter().filter(|lost| **lost > 0.0).count();
    format!(
        "Map of {}. {} above 100 % CPU, {} down, {} above 100 %, {} losing traffic.",
        text::count(view.scenario.network.sites.len(), "site"),
        text::count(over, "site"),
        text::count(down, "site"),
        text::count(links, "link"),
        text::count(lossy, "client group"),
    )
}

fn legend() -> Vec<LegendItem> {
    let item = |swatches, label: &str| LegendItem { swatches, label: label.to_owned() };
    let widths = [11, 15, 22, 30];
    let mut items: Vec<LegendItem> = (0..LOAD_INKS)
        .map(|load| {
            let ink = Ink::Load(load);
            let line = Swatch::Line(Pen::line(ink).width(widths[load]));
            item(vec![Swatch::Mark(Shape::Dot, ink), line], LOAD_WORDS[load])
        })
        .collect();
    items.push(item(vec![Swatch::Mark(Shape::Diamond, Ink::Lost)], "client group losing traffic"));
    let down = Pen::line(Ink::Muted).dashed(Dash::Short).width(12);
    items.push(item(vec![Swatch::Mark(Shape::Ring, Ink::Text), Swatch::Line(down)], "down"));
    items
}

/// The most loaded sites at the moment.
fn grid(view: &RunView, arms: &[Now]) -> Grid {
    let sites = view.scenario.network.sites.rows();
    let mut order: Vec<usize> = (0..sites.len()).collect();
    let worst = |site: usize| arms.iter().map(|now| now.sites[site].load).fold(0.0, f64::max);
    order.sort_by(|&a, &b| worst(b).total_cmp(&worst(a)).then(a.cmp(&b)));
    let mut head = vec!["site".to_owned()];
    for arm in view.summary.arms.iter().take(arms.len()) {
        head.push(format!("CPU utilisation, {}", text::clean(&arm.arm)));
    }
    let rows = order
        .iter()
        .take(DATA_ROWS)
        .map(|&site| {
            let cells = arms.iter().map(|now| match now.sites[site] {
                SiteNow { down: true, .. } => "down".to_owned(),
                SiteNow { known: true, load, .. } => percent(load),
                _ => "–".to_owned(),
            });
            std::iter::once(text::clean(&sites[site].id)).chain(cells).collect()
        })
        .collect();
    let note = if sites.len() > DATA_ROWS {
        format!("The {DATA_ROWS} most loaded of {} sites.", number(sites.len() as f64))
    } else {
        String::new()
    };
    Grid { head, rows, word_columns: 1, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> GeoPoint {
        GeoPoint { lat, lon }
    }

    #[test]
    fn a_region_is_cropped_even_across_the_antimeridian() {
        let pacific = [at(35.0, 140.0), at(-17.0, 178.0), at(21.0, -158.0)];
        let map = project(&pacific, 500);
        for place in pacific {
            let (x, y) = map.place(place.lat, map.turn(place.lon));
            assert!(x > 0.0 && x < 500.0 && y > 0.0 && y < f64::from(map.size.1), "{x} {y}");
        }
        assert!(map.x_scale > 500.0 / 200.0, "{map:?}");
        let world = [at(51.0, 0.0), at(-34.0, 151.0), at(37.0, -122.0)];
        assert_eq!(project(&world, 720).x_scale, 2.0);
    }

    #[test]
    fn great_circles_start_and_end_where_they_should() {
        let (a, b) = (at(51.5, -0.1), at(40.7, -74.0));
        let map = project(&[a, b, at(-34.0, 151.0)], 720);
        let places = great_circle(a, b, &map);
        let close =
            |p: (f64, f64), q: (f64, f64)| (p.0 - q.0).abs() < 1e-6 && (p.1 - q.1).abs() < 1e-6;
        assert!(close(places[0], map.place(a.lat, map.turn(a.lon))));
        assert!(close(places[places.len() - 1], map.place(b.lat, map.turn(b.lon))));
        // The way over the Atlantic bends to the north.
        assert!(places[places.len() / 2].1 < places[0].1.max(places[places.len() - 1].1));
    }

    #[test]
    fn load_steps() {
        assert_eq!([0.0, 0.5, 0.51, 0.8, 1.0, 1.01].map(step), [0, 0, 1, 1, 2, 3]);
    }
}
