//! Strict priority between classes at one server.

use super::words::{parameter, quantity};
use super::{Kind, Model, Parameter, Preset, Quantity, Range, Trouble};
use crate::theory::priority::{Class, non_preemptive_waits, preemptive_sojourns};
use crate::theory::{Given, Rows};

pub const MODELS: &[Model] = &[PREEMPTIVE, NON_PREEMPTIVE];

const MOST: usize = 16;

const PARAMETERS: &[Parameter] = &[
    parameter(
        "loads",
        &["load", "rho"],
        "",
        Kind::Numbers(Range::POSITIVE, MOST),
        Preset::Required,
        "work offered per second by each class, the most urgent first",
    ),
    parameter(
        "services_s",
        &["service_s", "services", "service"],
        "s",
        Kind::Numbers(Range::POSITIVE, MOST),
        Preset::Text("1"),
        "mean service time of each class; one for all",
    ),
    parameter(
        "cv2s",
        &["cv2"],
        "",
        Kind::Numbers(Range::NOT_NEGATIVE, MOST),
        Preset::Text("1"),
        "squared coefficient of variation of each class; one for all (1: exponential)",
    ),
];

const QUANTITIES: &[Quantity] = &[
    quantity(
        "sojourn_s_mean",
        "s",
        "see source; S(i): load of class i and above",
        "mean time in the system",
    ),
    quantity("wait_s_mean", "s", "sojourn - s", "mean time in the system beyond service"),
    quantity("in_system_mean", "", "rate * sojourn (Little)", "mean number in the system"),
    quantity("utilisation", "", "sum of loads", "share of time the server works"),
];

const PREEMPTIVE: Model = Model {
    name: "priority",
    aliases: &["priority-preemptive", "preemptive"],
    title: "M/G/1, preemptive priority",
    about: "An urgent arrival interrupts; interrupted work goes on later where it stopped. Class i: \
            s/(1-S(i-1)) + R(i)/((1-S(i-1))(1-S(i))), R(i) the mean remaining work of class i and \
            above.",
    source: "Kleinrock, Queueing Systems 2 (1976), section 3.4",
    parameters: PARAMETERS,
    quantities: QUANTITIES,
    example: "--loads 0.3,0.6",
    solve: |given| {
        let classes = classes(given)?;
        Ok(rows(&classes, &preemptive_sojourns(&classes)))
    },
};

const NON_PREEMPTIVE: Model = Model {
    name: "priority-nonpreemptive",
    aliases: &["nonpreemptive", "non-preemptive"],
    title: "M/G/1, non-preemptive priority",
    about: "Work that was begun is finished first. Wait of class i: R/((1-S(i-1))(1-S(i))), R the \
            mean remaining work of all classes.",
    source: "Cobham (1954); Kleinrock, Queueing Systems 2 (1976), section 3.3",
    parameters: PARAMETERS,
    quantities: QUANTITIES,
    example: "--loads 0.4,0.4",
    solve: |given| {
        let classes = classes(given)?;
        let waits = non_preemptive_waits(&classes);
        let sojourns: Vec<f64> =
            waits.iter().zip(&classes).map(|(wait, class)| wait + class.service).collect();
        Ok(rows(&classes, &sojourns))
    },
};

fn classes(given: &Given) -> Result<Vec<Class>, Trouble> {
    let loads = given.numbers("loads");
    let of = |name: &str| {
        let list = given.numbers(name);
        match list.len() {
            1 => Ok(vec![list[0]; loads.len()]),
            n if n == loads.len() => Ok(list.to_vec()),
            n => {
                let what = format!("has {n} numbers for {} classes", loads.len());
                Err(Trouble::new(name, what, "give one for each class, or one for all"))
            }
        }
    };
    let (services, cv2s) = (of("services_s")?, of("cv2s")?);
    let total: f64 = loads.iter().sum();
    if total >= 1.0 {
        let what = format!("sum up to {total}: the queue grows without end");
        return Err(Trouble::new(
            "loads",
            what,
            "stable while the loads of all classes sum up to less than 1",
        ));
    }
    let class = |i: usize| Class { load: loads[i], service: services[i], cv2: cv2s[i] };
    Ok((0..loads.len()).map(class).collect())
}

fn rows(classes: &[Class], sojourns: &[f64]) -> Rows {
    let mut rows = Rows::default();
    let label = |i: usize| format!("class={}", i + 1);
    let rate = |i: usize| classes[i].load / classes[i].service;
    let (mut arrivals, mut number, mut waited) = (0.0, 0.0, 0.0);
    for (i, sojourn) in sojourns.iter().enumerate() {
        rows.put_of("sojourn_s_mean", label(i), *sojourn);
        arrivals += rate(i);
        number += rate(i) * sojourn;
        waited += rate(i) * (sojourn - classes[i].service);
    }
    rows.put("sojourn_s_mean", number / arrivals);
    for (i, sojourn) in sojourns.iter().enumerate() {
        rows.put_of("wait_s_mean", label(i), sojourn - classes[i].service);
    }
    rows.put("wait_s_mean", waited / arrivals);
    for (i, sojourn) in sojourns.iter().enumerate() {
        rows.put_of("in_system_mean", label(i), rate(i) * sojourn);
    }
    rows.put("in_system_mean", number);
    rows.put("utilisation", classes.iter().map(|class| class.load).sum());
    rows
}
