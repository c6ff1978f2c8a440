//! Small graphs whose answers follow by hand.

use super::*;
use crate::route::internet::{Link, Relation};
use std::collections::BTreeMap;

const CUSTOMER: Relation = Relation::Customer;
const PEER: Relation = Relation::Peer;

fn graph(links: &[(u32, u32, Relation)]) -> AsGraph {
    let links: Vec<Link> = links.iter().map(|&(a, b, relation)| Link { a, b, relation }).collect();
    AsGraph::new(&links).unwrap()
}

fn alone(paths: &[&[u32]]) -> AlonePaths {
    AlonePaths { paths: paths.iter().map(|path| path.to_vec()).collect() }
}

fn site(prediction: &Prediction, asn: u32) -> Option<usize> {
    prediction.forecast(asn).map(|forecast| forecast.site)
}

/// 1 and 2 are peers at the top; 11 buys from 1, 12 from 2, and hears a site each; 20 buys from
/// both of the top; 31 and 32 buy from 11 and 12.
fn two_sided() -> AsGraph {
    graph(&[
        (1, 2, PEER),
        (1, 11, CUSTOMER),
        (2, 12, CUSTOMER),
        (1, 20, CUSTOMER),
        (2, 20, CUSTOMER),
        (11, 31, CUSTOMER),
        (12, 32, CUSTOMER),
    ])
}

/// Both sites are passed up, so they are heard from customers.
fn up_both_sides() -> [AlonePaths; 2] {
    [alone(&[&[1, 11], &[2, 1, 11]]), alone(&[&[2, 12], &[1, 2, 12]])]
}

#[test]
fn each_side_goes_to_its_site_and_the_middle_is_tied() {
    let prediction = Prediction::new(&two_sided(), &up_both_sides());
    for (asn, expected) in [(1, 0), (11, 0), (31, 0), (2, 1), (12, 1), (32, 1)] {
        let forecast = prediction.forecast(asn).unwrap();
        assert_eq!((forecast.site, forecast.share, forecast.tied), (expected, 1.0, false), "{asn}");
    }
    let middle = prediction.forecast(20).unwrap();
    assert_eq!((middle.site, middle.share, middle.tied), (0, 0.5, true));
    assert_eq!(prediction.shares(20), Some([0.5, 0.5].as_slice()));
    assert_eq!(prediction.unsettled, 0);
    assert_eq!(prediction.iter().count(), 7);
    assert_eq!((prediction.forecast(99), prediction.shares(99)), (None, None));
}

#[test]
fn ties_go_to_the_site_of_more_ases_whatever_the_order() {
    let mut links = vec![(12, 33, CUSTOMER), (12, 34, CUSTOMER)];
    for link in two_sided().links() {
        links.push((link.a, link.b, link.relation));
    }
    let graph = graph(&links);
    let [a, b] = up_both_sides();
    assert_eq!(site(&Prediction::new(&graph, &[a.clone(), b.clone()]), 20), Some(1));
    assert_eq!(site(&Prediction::new(&graph, &[b.clone(), a.clone()]), 20), Some(0));
    let without: Vec<Rule> =
        Rule::ALL.into_iter().filter(|&rule| rule != Rule::TiesToMajority).collect();
    assert_eq!(site(&Prediction::with_rules(&graph, &[a, b], &without), 20), Some(0));
}

#[test]
fn prepends_seen_on_a_path_lengthen_it_for_everybody() {
    let paths = [alone(&[&[1, 11, 11, 11], &[2, 1, 11, 11, 11]]), up_both_sides()[1].clone()];
    let prediction = Prediction::new(&two_sided(), &paths);
    // Nobody that is seen takes a longer offer, so the shorter one has all.
    let middle = prediction.forecast(20).unwrap();
    assert_eq!((middle.site, middle.share), (1, 1.0));
    // Its only way up is longer, and still its only way.
    assert_eq!(site(&prediction, 1), Some(0));
    let without: Vec<Rule> = Rule::ALL.into_iter().filter(|&rule| rule != Rule::Prepends).collect();
    let prediction = Prediction::with_rules(&two_sided(), &paths, &without);
    assert!(prediction.forecast(20).unwrap().tied);
}

#[test]
fn an_as_keeps_to_the_next_hop_it_was_seen_to_take() {
    // 20 reaches the first site through 2 although 1 is nearer to it.
    let mut paths = up_both_sides();
    paths[0].paths.push(vec![20, 2, 1, 11]);
    paths[1].paths.push(vec![20, 2, 12]);
    let prediction = Prediction::new(&two_sided(), &paths);
    assert_eq!(prediction.forecast(20).map(|f| (f.site, f.share)), Some((1, 1.0)));
    let without: Vec<Rule> =
        Rule::ALL.into_iter().filter(|&rule| rule != Rule::SeenNextHops).collect();
    let prediction = Prediction::with_rules(&two_sided(), &paths, &without);
    assert!(prediction.forecast(20).unwrap().tied);
}

#[test]
fn a_collectors_as_that_sees_no_path_to_a_site_has_none() {
    // 31 tells a collector of the second site only; 11, its provider, has both.
    let [mut a, mut b] = up_both_sides();
    b.paths.push(vec![31, 11, 1, 2, 12]);
    let prediction = Prediction::new(&two_sided(), &[a.clone(), b.clone()]);
    assert_eq!(site(&prediction, 31), None);
    a.paths.push(vec![31, 11]);
    assert_eq!(site(&Prediction::new(&two_sided(), &[a, b]), 31), Some(0));
}

#[test]
fn a_site_that_nobody_sees_reaches_nobody() {
    let prediction = Prediction::new(&two_sided(), &[alone(&[]), up_both_sides()[1].clone()]);
    assert_eq!(prediction.forecast(11).map(|f| (f.site, f.share)), Some((1, 1.0)));
    assert!(prediction.iter().all(|(_, forecast)| forecast.site == 1));
}

#[test]
fn who_is_mostly_not_taken_is_a_last_resort() {
    // 5 hears the first site and has peers 6, 7, 8 and 9; 6 and 7 were seen to go the long way
    // over their provider 1 instead. 8 is not seen and has a provider, 9 has none.
    let mut links: Vec<(u32, u32, Relation)> =
        [6, 7, 8].iter().map(|&to| (1, to, CUSTOMER)).collect();
    links.extend([6, 7, 8, 9].map(|peer| (5, peer, PEER)));
    links.extend([(1, 2, PEER), (2, 12, CUSTOMER), (1, 4, CUSTOMER), (4, 5, CUSTOMER)]);
    let graph = graph(&links);
    let first = alone(&[&[6, 1, 4, 5], &[7, 1, 4, 5]]);
    let second = alone(&[&[2, 12], &[6, 1, 2, 12], &[7, 1, 2, 12]]);
    let paths = [first, second];
    let prediction = Prediction::new(&graph, &paths);
    // Over its provider 1, which has the first site from a customer.
    assert_eq!(site(&prediction, 8), Some(0));
    let evidence = Evidence::new(&graph, &paths);
    let mut web = Web::new(&graph, &evidence, &Rule::ALL);
    learn::demote_untaken(&mut web, &evidence);
    let place = |asn: u32| evidence.asns.binary_search(&asn).unwrap() as u32;
    let received = |to: u32, by: u32| web.reception[0][web.edge(place(to), place(by)).unwrap()];
    assert_eq!((received(8, 5), received(9, 5)), (web::LAST_RESORT, web::LAST_RESORT));
    assert_eq!((received(8, 1), received(6, 5)), (web::NORMAL, web::NORMAL));
    // What is left is taken.
    assert_eq!(site(&prediction, 9), Some(0));
}

#[test]
fn a_route_passed_on_against_the_rule_is_passed_on_again() {
    // 11 has the site from a peer, and was seen to give it to its provider 1.
    let graph = graph(&[(10, 11, PEER), (1, 11, CUSTOMER), (1, 20, CUSTOMER)]);
    let paths = [alone(&[&[1, 11, 10], &[10]]), alone(&[])];
    let prediction = Prediction::new(&graph, &paths);
    assert_eq!(site(&prediction, 20), Some(0));
    let without: Vec<Rule> =
        Rule::ALL.into_iter().filter(|&rule| rule != Rule::AgainstRule).collect();
    assert_eq!(site(&Prediction::with_rules(&graph, &paths, &without), 20), None);
}

#[test]
fn links_that_the_graph_lacks_are_added() {
    // 77 and 78 are not in the graph. Nothing tells what 1 and 77 are to each other, so they are
    // peers, and who has a route from a peer sells it: 78 buys from 77. 79 passes a route of 80 up
    // to its provider, so 80 is its customer.
    let graph = graph(&[(1, 11, CUSTOMER), (1, 79, CUSTOMER), (80, 12, CUSTOMER)]);
    let paths = [alone(&[&[1, 11], &[78, 77, 1, 11]]), alone(&[&[1, 79, 80, 12]])];
    let evidence = Evidence::new(&graph, &paths);
    let place = |asn: u32| evidence.asns.binary_search(&asn).unwrap() as u32;
    let relation = |a: u32, b: u32| evidence.added.get(&(place(a), place(b))).copied();
    assert_eq!(relation(77, 1), Some(PEER));
    assert_eq!(relation(78, 77), Some(Relation::Provider));
    assert_eq!((relation(79, 80), relation(80, 79)), (Some(CUSTOMER), Some(Relation::Provider)));
    assert_eq!(site(&Prediction::new(&graph, &paths), 78), Some(0));
}

#[test]
fn longer_offers_get_their_share_as_often_as_they_are_taken() {
    // 41, 42 and 43 buy from both 11, which hears the site, and 3, which is one further.
    let mut links = vec![(11, 3, CUSTOMER)];
    for buyer in [41, 42, 43] {
        links.extend([(11, buyer, CUSTOMER), (3, buyer, CUSTOMER)]);
    }
    let graph = graph(&links);
    let paths = alone(&[&[41, 11], &[42, 11], &[43, 3, 11]]);
    let prediction = Prediction::new(&graph, &[paths]);
    // Offers: three of the shortest with two taken, three one longer with one taken; the imagined
    // AS adds one to each and takes the shortest.
    assert_eq!(prediction.taken, [3.0 / 4.0, 1.0 / 4.0, 0.0]);
    let nothing = Prediction::new(&graph, &[alone(&[])]);
    assert_eq!(nothing.taken, [1.0, 0.0, 0.0]);
}

#[test]
fn paths_that_repeat_an_as_are_left_out_of_account() {
    let odd = alone(&[&[1, 11], &[2, 1, 2, 11], &[]]);
    let plain = alone(&[&[1, 11]]);
    let second = up_both_sides()[1].clone();
    let both = [odd, plain].map(|first| Prediction::new(&two_sided(), &[first, second.clone()]));
    assert_eq!(both[0], both[1]);
}

#[test]
fn a_site_is_heard_as_from_a_customer_if_it_is_passed_on() {
    let graph = two_sided();
    let sites = [alone(&[&[1, 11], &[31, 11]]), alone(&[&[32, 12, 12]])];
    let announcements = plain_announcements(&graph, &sites, 64_496);
    let seeds: Vec<(u32, Class, u32)> = announcements
        .seeds
        .iter()
        .map(|seed| (graph.asn(seed.at), seed.learned, seed.exit))
        .collect();
    assert_eq!(seeds, [(11, Class::Customer, 0), (12, Class::Peer, 1)]);
}

#[test]
fn scores_count_what_was_measured() {
    let prediction = Prediction::new(&two_sided(), &up_both_sides());
    let measured = [(1, vec![0]), (2, vec![0]), (20, vec![1]), (12, vec![1]), (31, vec![0, 1])];
    let mut measured: BTreeMap<u32, Vec<usize>> = measured.into_iter().collect();
    measured.insert(99, vec![0]);
    let score = Score::of(&prediction, &measured);
    let expected = Score {
        measured: 5,
        right: 2,
        silent: 1,
        tied: 1,
        right_at_best: 3,
        sure: 3,
        sure_right: 2,
        larger: 3,
        undecided: 1,
    };
    assert_eq!(score, expected);
    assert!(score.competes());
    assert_eq!(score.accuracy(), Some(0.4));
    assert_eq!(pooled([&score, &score]).right, 4);
    let model = Score::of_model(|asn| (asn < 20).then_some(0), &measured);
    assert_eq!((model.right, model.silent, model.larger), (2, 2, 3));
    assert_eq!(Score::default().accuracy(), None);
}
