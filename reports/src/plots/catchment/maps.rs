//! Client groups on a map, coloured and shaped by landing site, at a few telling instants.

use super::gather::{Catchment, Slot};
use super::glyph::{self, short};
use super::shares::legend;
use crate::figure::{Shape, text_width};
use crate::number::percent;
use crate::plots::land::{self, Projection};
use crate::plots::map::{label_place, project, real};
use crate::plots::timeline::Context;
use crate::plots::{Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, THIRD_PX, WIDE_PX};
use crate::rows::Missing;
use crate::text;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use steerlab_results::engine::net::GeoPoint;

/// Most arms with maps.
const MAPPED_ARMS_MAX: usize = 4;
/// More groups than this are put together where they are close.
const MARKS_MAX: usize = 700;
/// Smallest share of lost users that is worth a map.
const LOST_MIN: f64 = 0.005;
/// Radii of marks, pixels: a group's share of the demand decides.
const RADII: [f64; 3] = [2.0, 2.9, 4.2];

/// An instant that is shown.
struct Shot {
    bucket: usize,
    words: &'static str,
}

/// A mark: where, whose, how much.
struct Spot {
    place: GeoPoint,
    slot: Slot,
    weight: f64,
}

/// Maps at the start, when most users land elsewhere than at the start, and at the end.
///
/// # Errors
/// Why there are none.
pub fn maps(context: &Context<'_>, catchment: &Catchment<'_>) -> Result<Plot, Missing> {
    let view = context.view;
    let located = locate(context, catchment);
    let sites: Vec<GeoPoint> =
        view.scenario.network.sites.rows().iter().filter_map(|site| real(site.location)).collect();
    let mut places: Vec<GeoPoint> = located.iter().flatten().copied().collect();
    if places.is_empty() {
        return Err(Missing("No client group has a location.".to_owned()));
    }
    places.extend(sites);
    let arms = view.summary.arms.len();
    let away: Vec<Vec<f64>> = (0..arms).map(|arm| catchment.away(arm)).collect();
    let slot = catchment.slots.iter().position(|slot| *slot == Slot::Lost);
    let lost_in =
        |arm: usize, bucket: usize| slot.map_or(0.0, |slot| catchment.shares(arm, bucket)[slot]);
    let buckets = catchment.starts_s.len();
    let lost: Vec<Vec<f64>> =
        (0..arms).map(|arm| (0..buckets).map(|bucket| lost_in(arm, bucket)).collect()).collect();
    let shots = shots(&away, &lost);
    let shown: Vec<usize> = (0..arms)
        .filter(|&arm| arm == 0 || !same(catchment, &shots, arm))
        .take(MAPPED_ARMS_MAX)
        .collect();
    let width = match shots.len() {
        1 if arms == 1 => WIDE_PX,
        3 => THIRD_PX,
        _ => HALF_PX,
    };
    let projection = project(&places, width);
    let ground: Rc<str> = land::path(&projection).into();
    let mut pictures = Vec::new();
    for &arm in &shown {
        for shot in &shots {
            let spots = spots(catchment, &located, arm, shot.bucket);
            let id = &view.summary.arms[arm].arm;
            let instant = context.scale.instant(catchment.end_s(shot.bucket));
            let arm_words = if arms > 1 { format!("{}, ", text::clean(id)) } else { String::new() };
            pictures.push(Picture {
                name: format!("{id}-{}", shot.words.replace(' ', "-")),
                heading: Heading::Words(format!("{arm_words}{instant} ({})", shot.words)),
                description: describe(catchment, arm, shot.bucket),
                size: projection.size,
                elements: elements(context, catchment, &projection, &spots),
                ground: Some(Rc::clone(&ground)),
            });
        }
    }
    Ok(Plot {
        id: "catchment-map".to_owned(),
        title: "Where they are who land where".to_owned(),
        shows: shows(context, catchment, (&located, &shown), (&shots, &away)),
        how: "Small marks are client groups, coloured and shaped by the site at which they land at \
              that instant, larger when they want more. Large rings are the named sites themselves, small plus signs other \
              sites. Where groups lie close \
              together one mark stands for several and shows what most of their users do.",
        legend: map_legend(catchment),
        pictures,
        data: Some(grid(context, catchment, &shown, &shots)),
    })
}

fn map_legend(catchment: &Catchment<'_>) -> Vec<LegendItem> {
    let mut items = legend(catchment);
    for item in &mut items {
        if item.label == "lost" {
            item.label = "lands nowhere: lost".to_owned();
        }
    }
    items.push(LegendItem {
        swatches: vec![Swatch::Mark(Shape::Ring, crate::figure::Ink::Text)],
        label: "a named site itself, ring in its colour".to_owned(),
    });
    items
}

/// Locations in the order of the group ids of the table.
fn locate(context: &Context<'_>, catchment: &Catchment<'_>) -> Vec<Option<GeoPoint>> {
    let groups = context.view.scenario.client_groups.rows();
    let by_id: BTreeMap<&str, Option<GeoPoint>> =
        groups.iter().map(|group| (group.id.as_str(), real(group.location))).collect();
    let ids = catchment.group_ids().iter();
    ids.map(|id| by_id.get(id.as_str()).copied().flatten()).collect()
}

/// The start, the bucket most unlike it in any arm, the one in which most are lost, and the end if
/// not all are back by then. `away` and `lost` are shares by arm and bucket.
fn shots(away: &[Vec<f64>], lost: &[Vec<f64>]) -> Vec<Shot> {
    let last = away.first().map_or(0, |shares| shares.len().saturating_sub(1));
    let at = |of: &[Vec<f64>], bucket: usize| {
        of.iter().map(|shares| shares.get(bucket).copied().unwrap_or(0.0)).fold(0.0, f64::max)
    };
    let most = |of: &[Vec<f64>]| {
        let place = (0..=last).rev().max_by(|&a, &b| at(of, a).total_cmp(&at(of, b))).unwrap_or(0);
        (place, at(of, place))
    };
    let mut out = vec![Shot { bucket: 0, words: "start" }];
    let mut add = |bucket: usize, words| {
        if out.iter().all(|shot: &Shot| shot.bucket != bucket) {
            out.push(Shot { bucket, words });
        }
    };
    if at(away, last) > 0.0 {
        add(last, "end");
    }
    let (unlike, share) = most(away);
    if share > 0.0 {
        add(unlike, "largest change");
    }
    let (lossy, share) = most(lost);
    if share >= LOST_MIN {
        add(lossy, "most lost");
    }
    out.sort_by_key(|shot| shot.bucket);
    out
}

/// Whether an arm's groups land as the baseline's at all shown instants.
fn same(catchment: &Catchment<'_>, shots: &[Shot], arm: usize) -> bool {
    let slots = |arm: usize, bucket: usize| -> Vec<Option<Slot>> {
        let landings = catchment.landings(arm, bucket);
        landings.into_iter().map(|landing| landing.map(|(slot, _)| slot)).collect()
    };
    shots.iter().all(|shot| slots(0, shot.bucket) == slots(arm, shot.bucket))
}

/// Marks of an arm and bucket; groups that lie close together share one where there are many.
fn spots(
    catchment: &Catchment<'_>,
    located: &[Option<GeoPoint>],
    arm: usize,
    bucket: usize,
) -> Vec<Spot> {
    let landings = catchment.landings(arm, bucket);
    let mut spots: Vec<Spot> = located
        .iter()
        .zip(landings)
        .filter_map(|(place, landing)| {
            let (slot, weight) = landing?;
            Some(Spot { place: (*place)?, slot, weight })
        })
        .collect();
    let mut cell_deg = 1.5;
    while spots.len() > MARKS_MAX && cell_deg < 90.0 {
        let joined = join(&spots, cell_deg);
        if joined.len() <= MARKS_MAX {
            spots = joined;
        }
        cell_deg *= 1.4;
    }
    spots
}

/// One mark for each cell of a grid: in the middle of its demand, with the slot of most of it.
fn join(spots: &[Spot], cell_deg: f64) -> Vec<Spot> {
    let mut cells: BTreeMap<(i32, i32), Vec<&Spot>> = BTreeMap::new();
    for spot in spots {
        let key = ((spot.place.lat / cell_deg).floor(), (spot.place.lon / cell_deg).floor());
        cells.entry((key.0 as i32, key.1 as i32)).or_default().push(spot);
    }
    let one = |members: Vec<&Spot>| {
        let mut by_slot: BTreeMap<Slot, f64> = BTreeMap::new();
        // A little weight for all, so that a cell without demand has a middle too.
        let weight = |spot: &Spot| spot.weight + 1e-9;
        let total: f64 = members.iter().map(|spot| weight(spot)).sum();
        let mut place = GeoPoint { lat: 0.0, lon: 0.0 };
        for spot in members {
            *by_slot.entry(spot.slot).or_default() += weight(spot);
            place.lat += spot.place.lat * weight(spot) / total;
            place.lon += spot.place.lon * weight(spot) / total;
        }
        let slot = by_slot.into_iter().rev().max_by(|a, b| a.1.total_cmp(&b.1));
        Spot { place, slot: slot.map_or(Slot::Lost, |(slot, _)| slot), weight: total }
    };
    cells.into_values().map(one).collect()
}

fn elements(
    context: &Context<'_>,
    catchment: &Catchment<'_>,
    map: &Projection,
    spots: &[Spot],
) -> String {
    let mut out = String::new();
    let most = spots.iter().map(|spot| spot.weight).fold(0.0, f64::max);
    let zoom = (f64::from(map.size.0) / f64::from(THIRD_PX)).sqrt();
    let few = if spots.len() < 60 { 1.35 } else { 1.0 };
    let mut paths: BTreeMap<Slot, String> = BTreeMap::new();
    for spot in spots {
        let share = if most > 0.0 { spot.weight / most } else { 0.0 };
        let size = if share > 0.5 { 2 } else { usize::from(share > 0.12) };
        let at = map.place(spot.place.lat, map.turn(spot.place.lon));
        let data = paths.entry(spot.slot).or_default();
        glyph::push(data, spot.slot.shape(), at, RADII[size] * zoom * few);
    }
    for (slot, data) in paths {
        push_path(&mut out, slot, &data);
    }
    let (rings, labels) = sites(context, catchment, map, zoom);
    rings + &out + &labels
}

fn push_path(out: &mut String, slot: Slot, data: &str) {
    let ink = slot.ink().class();
    let _ = if glyph::is_line(slot.shape()) {
        write!(out, "<path class=\"l {ink}\" stroke-width=\"1.5\" d=\"{data}\"/>")
    } else {
        write!(out, "<path class=\"f {ink} o\" d=\"{data}\"/>")
    };
}

/// The sites themselves, which lie under the groups, and the names of the named ones.
fn sites(
    context: &Context<'_>,
    catchment: &Catchment<'_>,
    map: &Projection,
    zoom: f64,
) -> (String, String) {
    let (mut others, mut rings, mut labels) = (String::new(), String::new(), String::new());
    let mut named = Vec::new();
    for site in context.view.scenario.network.sites.rows() {
        let Some(place) = real(site.location) else { continue };
        let (x, y) = map.place(place.lat, map.turn(place.lon));
        match catchment.named.iter().position(|id| *id == text::clean(&site.id)) {
            Some(index) => named.push((index, x, y)),
            None => {
                let _ = write!(others, "M{} {}h5m-2.5-2.5v5", short(x - 2.5), short(y));
            }
        }
    }
    if !others.is_empty() {
        let _ = write!(rings, "<path class=\"l mu\" d=\"{others}\"/>");
    }
    let r = 6.5 * zoom;
    let mut taken: Vec<[f64; 4]> = Vec::new();
    for &(index, x, y) in &named {
        let mut data = String::new();
        glyph::push(&mut data, Shape::Dot, (x, y), r);
        let ink = Slot::Named(index).ink().class();
        let _ = write!(rings, "<path class=\"f pa\" d=\"{data}\"/>");
        let _ = write!(rings, "<path class=\"l {ink}\" stroke-width=\"2.2\" d=\"{data}\"/>");
        let words = text::shorten(&catchment.named[index], 18);
        let width = text_width(&words) * 11.0;
        let place = label_place(map, (x, y, r + 4.0), width, &taken, &|_, _, _, _| true);
        if let Some((left, top)) = place {
            taken.push([left, top, left + width, top + 13.0]);
            let _ = write!(
                labels,
                "<text class=\"f tx h\" x=\"{}\" y=\"{}\" font-size=\"11\">{}</text>",
                short(left),
                short(top + 10.5),
                text::xml(&words)
            );
        }
    }
    (rings, labels)
}

fn describe(catchment: &Catchment<'_>, arm: usize, bucket: usize) -> String {
    let parts: Vec<String> = catchment
        .slots
        .iter()
        .zip(catchment.shares(arm, bucket))
        .map(|(&slot, share)| format!("{} {}", catchment.label(slot), percent(share)))
        .collect();
    format!("Map of client groups by landing site. Shares of demand: {}.", parts.join(", "))
}

fn shows(
    context: &Context<'_>,
    catchment: &Catchment<'_>,
    (located, shown): (&[Option<GeoPoint>], &[usize]),
    (shots, away): (&[Shot], &[Vec<f64>]),
) -> String {
    let arms = &context.view.summary.arms;
    let name = |arm: usize| text::clean(&arms[arm].arm);
    let mut out = Vec::new();
    let most = (0..arms.len())
        .flat_map(|arm| {
            away[arm].iter().enumerate().map(move |(bucket, share)| (arm, bucket, *share))
        })
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .max_by(|a, b| a.2.total_cmp(&b.2));
    match most {
        Some((arm, bucket, most)) if most > 0.0 => {
            let under =
                if arms.len() > 1 { format!(" under {}", name(arm)) } else { String::new() };
            out.push(format!(
                "At {} {} of the users land elsewhere than at the start{under}.",
                context.scale.instant(catchment.end_s(bucket)),
                percent(most)
            ));
        }
        _ => out.push(
            "At the end of every bucket all groups land where they did at the start.".to_owned(),
        ),
    }
    let (placed, marks) = (
        located.iter().flatten().count(),
        spots(catchment, located, 0, shots.first().map_or(0, |shot| shot.bucket)).len(),
    );
    if marks < placed {
        out.push(format!(
            "{} are drawn as {}.",
            text::count(placed, "client group"),
            text::count(marks, "mark")
        ));
    }
    let back = away.iter().all(|shares| shares.last().is_some_and(|share| *share <= 0.0));
    if shots.len() > 1 && back {
        out.push("At the end all land where they did at the start.".to_owned());
    }
    let like: Vec<String> =
        (1..arms.len()).filter(|&arm| same(catchment, shots, arm)).map(name).collect();
    if !like.is_empty() {
        out.push(format!(
            "The maps of {} are those of {}.",
            crate::words::list(&like[..like.len().min(12)]),
            name(0)
        ));
    }
    if shown.len() + like.len() < arms.len() {
        out.push(format!("Maps are shown for {} of {} arms.", shown.len(), arms.len()));
    }
    let without = located.iter().filter(|place| place.is_none()).count();
    if without > 0 {
        out.push(format!(
            "Not on the maps, for want of a location: {}.",
            text::count(without, "client group")
        ));
    }
    if context.view.summary.replications > 1 {
        out.push(format!("Maps show replication {}.", catchment.replication));
    }
    out.join(" ")
}

fn grid(context: &Context<'_>, catchment: &Catchment<'_>, shown: &[usize], shots: &[Shot]) -> Grid {
    let mut head = vec!["arm".to_owned(), "instant".to_owned()];
    head.extend(catchment.slots.iter().map(|&slot| catchment.label(slot)));
    let mut rows = Vec::new();
    for &arm in shown {
        for shot in shots {
            let instant = context.scale.instant(catchment.end_s(shot.bucket));
            let mut cells = vec![text::clean(&context.view.summary.arms[arm].arm), instant];
            let shares = catchment.shares(arm, shot.bucket);
            cells.extend(shares.into_iter().map(percent));
            rows.push(cells);
        }
    }
    Grid { head, rows, word_columns: 2, note: "Shares of the requests offered.".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_that_tell_something() {
        let buckets = |away: &[f64]| -> Vec<usize> {
            shots(&[away.to_vec()], &[vec![0.0; away.len()]])
                .iter()
                .map(|shot| shot.bucket)
                .collect()
        };
        assert_eq!(buckets(&[0.0, 0.0, 0.0]), [0]);
        assert_eq!(buckets(&[0.0, 0.4, 0.7, 0.7, 0.1]), [0, 2, 4]);
        assert_eq!(buckets(&[0.0, 0.4, 0.7, 0.7, 0.0]), [0, 2]);
        assert_eq!(buckets(&[0.0, 0.1, 0.3]), [0, 2]);
        let lost = [vec![0.0, 0.0, 0.2, 0.0, 0.0]];
        let all: Vec<usize> =
            shots(&[vec![0.0, 0.4, 0.2, 0.1, 0.1]], &lost).iter().map(|shot| shot.bucket).collect();
        assert_eq!(all, [0, 1, 2, 4]);
    }

    #[test]
    fn close_groups_share_a_mark_of_the_majority() {
        let spot = |lat, slot, weight| Spot { place: GeoPoint { lat, lon: 5.0 }, slot, weight };
        let (a, b) = (Slot::Named(0), Slot::Named(1));
        let spots = [spot(50.0, a, 1.0), spot(50.2, b, 3.0), spot(-20.0, Slot::Lost, 1.0)];
        let joined = join(&spots, 2.0);
        assert_eq!(joined.len(), 2);
        assert_eq!(joined[1].slot, b);
        assert!((joined[1].place.lat - 50.15).abs() < 1e-6);
    }
}
