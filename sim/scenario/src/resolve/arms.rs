//! Arms, their policies and parameters.

use super::Resolver;
use super::network::dict;
use crate::diagnostic::{Diagnostic, quote};
use crate::table::Entity;
use crate::typed::{Data, Fields, PolicyValue, Value};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::net::{NeighbourId, PoolId, SiteId};
use steerlab_engine::scenario::{
    Arm, ClientGroupId, NameId, PolicySpec, PrefixId, ResolverId, ScriptStep, TenantId,
};
use steerlab_engine::steer::{Action, AnswerScope, Descriptor, ParamKind, ParamValue, Params};

impl Resolver<'_> {
    pub(super) fn arms(&mut self, fields: &Fields) {
        for (index, arm) in fields.rows("arms").enumerate() {
            self.define(Entity::Arm, arm, index);
            let mut policies: Vec<PolicySpec> = Vec::new();
            for value in arm.items("policies") {
                let Data::Policy(policy) = &value.data else { continue };
                let twice = policies.iter().any(|known| *known.name == *policy.name);
                if twice {
                    let message =
                        format!("the policy {} is in this arm already", quote(&policy.name));
                    self.error("E0302", value.span, message, "list every policy once in an arm");
                }
                policies.extend(self.policy(policy, value));
            }
            let balancer = self.zoom_balancer(arm);
            if balancer.is_some() && self.out.zoom.is_empty() {
                let message = "an arm chooses a balancer, but nothing is zoomed".to_owned();
                self.error("E0408", arm.place("balancer"), message, "add `zoom`, or leave it out");
            }
            self.out.arms.push(Arm {
                id: arm.string("id"),
                label: arm.label(),
                policies,
                balancer,
            });
        }
    }

    fn policy(&mut self, policy: &PolicyValue, value: &Value) -> Option<PolicySpec> {
        let descriptor = *self.vocabulary.registry.find(&policy.name)?;
        let period = policy.period.unwrap_or(descriptor.default_period);
        self.check_steps(period, "period", value.span);
        let mut params = Vec::new();
        for (name, given) in &policy.params {
            let kind = descriptor.params.iter().find(|param| param.name == *name)?.kind;
            params.push(((*name).to_owned(), self.param(&kind, given)?));
        }
        self.check_params(&descriptor, &params, value);
        Some(PolicySpec { name: descriptor.name.to_owned(), period, params })
    }

    /// Rules over several parameters.
    fn check_params(
        &mut self,
        descriptor: &Descriptor,
        params: &[(String, ParamValue)],
        value: &Value,
    ) {
        if let Err(message) = (descriptor.check)(&Params(params)) {
            self.sink.push(
                Diagnostic::new("E0602", value.span, format!("`{}`: {message}", descriptor.name))
                    .help(format!("see `steerlab list policies` for `{}`", descriptor.name)),
            );
        }
    }

    fn param(&mut self, kind: &ParamKind, value: &Value) -> Option<ParamValue> {
        Some(match (kind, &value.data) {
            (ParamKind::Ratio { .. }, Data::Number(ratio)) => ParamValue::Ratio(*ratio),
            (ParamKind::Span { .. }, Data::Span(span)) => ParamValue::Span(*span),
            (ParamKind::Count { .. }, Data::Count(count)) => ParamValue::Count(*count),
            (ParamKind::Rate, Data::Count(rate)) => ParamValue::Rate(*rate),
            (ParamKind::Choice(_), Data::Text(word)) => ParamValue::Choice(word.to_string()),
            (ParamKind::Script, Data::List(steps)) => {
                let mut script = Vec::new();
                for step in steps.iter().filter_map(Value::fields) {
                    script.extend(self.script_step(step));
                }
                // Stable: equal times stay in the order written.
                script.sort_by_key(|step| step.at);
                ParamValue::Script(script)
            }
            _ => return None,
        })
    }

    fn answer(&mut self, given: &Fields) -> Option<Action> {
        let name = self.reference(Entity::DnsName, given, "name").map(NameId);
        let group = self.reference(Entity::ClientGroup, given, "client_group").map(ClientGroupId);
        let resolver = self.reference(Entity::DnsResolver, given, "resolver").map(ResolverId);
        if given.get("client_group").is_some() && given.get("resolver").is_some() {
            let message = "`client_group` and `resolver` exclude each other".to_owned();
            self.error("E0408", given.place("resolver"), message, "keep one of them");
        }
        let id = name.and_then(|name| self.out.dns.names.get(name)).map(|row| row.id.clone());
        let mut answer = Vec::new();
        for (prefix, weight) in dict(given, "to") {
            let Some(found) = self.find(Entity::Prefix, prefix).map(PrefixId) else { continue };
            let row = name.and_then(|name| self.out.dns.names.get(name));
            if row.is_some_and(|row| !row.candidates.contains(&found)) {
                self.not_an_answer(prefix.span, id.as_deref().unwrap_or_default());
            }
            answer.extend(weight.number().filter(|&weight| weight > 0.0).map(|w| (found, w)));
        }
        self.some_weight(given, "to");
        let scope = match (group, resolver) {
            (Some(group), _) => AnswerScope::ClientGroup(group),
            (None, Some(resolver)) => AnswerScope::Resolver(resolver),
            (None, None) => AnswerScope::All,
        };
        Some(Action::SetAnswer { name: name?, scope, answer })
    }

    /// The weights of all servers of a colo; none after an error.
    fn pool_weights(&mut self, given: &Fields) -> Option<Action> {
        let mut named: Vec<(PoolId, f64)> = Vec::new();
        for (pool, weight) in dict(given, "to") {
            let Some(found) = self.find(Entity::Pool, pool).map(PoolId) else { continue };
            named.extend(weight.number().map(|weight| (found, weight)));
        }
        let &(first, _) = named.first()?;
        let network = &self.out.network;
        let colo = network.pools[first].colo;
        let place = given.place("to");
        if named.iter().any(|&(pool, _)| network.pools[pool].colo != colo) {
            let message = "these pools are not all of one colo".to_owned();
            self.error("E0408", place, message, "write one step a colo");
            return None;
        }
        let mut weights = Vec::new();
        for &pool in &network.colos[colo].pools {
            let weight = named.iter().find(|(other, _)| *other == pool).map_or(0.0, |it| it.1);
            weights.extend((0..network.pools[pool].servers).map(|_| weight));
        }
        if weights.iter().all(|weight| *weight <= 0.0) {
            let message = "no server has a weight above 0".to_owned();
            self.error("E0405", place, message, "give one of the pools a weight");
            return None;
        }
        Some(Action::SetWeights { colo, weights: weights.into() })
    }

    fn script_step(&mut self, fields: &Fields) -> Option<ScriptStep> {
        let at = fields.get("at").and_then(|value| self.instant(value)).unwrap_or(SimTime::ZERO);
        let cause = fields.string("cause");
        let (kind, value) = fields.chosen()?;
        if kind == "follow-igp" {
            if matches!(value.data, Data::Flag(false)) {
                let message = "`follow-igp: false` asks for nothing".to_owned();
                self.error("E0203", value.span, message, "write `follow-igp: true`");
            }
            return Some(ScriptStep { at, action: Action::FollowIgp, cause });
        }
        let given = value.fields()?;
        let action = match kind {
            "withdraw" | "announce" => {
                let prefix = self.reference(Entity::Prefix, given, "prefix").map(PrefixId);
                let site = self.reference(Entity::Site, given, "site").map(SiteId);
                let (prefix, site) = (prefix?, site?);
                match kind {
                    "withdraw" => Action::Withdraw { prefix, site },
                    _ => Action::Announce { prefix, site },
                }
            }
            "change-announcement" => {
                let row = self.announcement(given)?;
                Action::ChangeAnnouncement {
                    prefix: row.prefix,
                    site: row.site,
                    link: row.link,
                    announced: row.announced,
                    attributes: row.attributes,
                }
            }
            "answer" => self.answer(given)?,
            "set-weights" => self.pool_weights(given)?,
            "spill" => {
                let from = self.reference(Entity::Site, given, "from").map(SiteId);
                let to = self.reference(Entity::Site, given, "to").map(SiteId);
                let tenant = self.reference(Entity::Tenant, given, "tenant").map(TenantId);
                Action::Spill { from: from?, to: to?, tenant, share: given.number("share")? }
            }
            _ => {
                let tenant = self.reference(Entity::Tenant, given, "tenant").map(TenantId);
                let neighbour =
                    self.reference(Entity::Neighbour, given, "neighbour").map(NeighbourId);
                let (tenant, neighbour) = (tenant?, neighbour?);
                if kind == "lift-tenant-limit" {
                    Action::LiftTenantLimit { tenant, neighbour }
                } else {
                    let rate_bps = given.count("rate")? as f64;
                    match kind {
                        "limit-tenant" => Action::LimitTenant { tenant, neighbour, rate_bps },
                        _ => Action::RemarkTenant { tenant, neighbour, rate_bps },
                    }
                }
            }
        };
        Some(ScriptStep { at, action, cause })
    }
}
