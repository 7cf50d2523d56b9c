//! The servers of one pool.

use super::load::Load;
use super::places::Places;
use super::rests::Rests;
use admin::{ServerLoad, SourceStatus};
use discovery::{Found, Membership, Target, Watched};
use engines::{Report, Scrape};
use model::ids::{PoolName, ZoneName};
use model::{Discovery, Pool, Source};
use plan::Member;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What one pool's servers are and were.
pub struct PoolRoster {
    name: PoolName,
    /// What was last told of the source.
    told: String,
    asked: Asked,
    membership: Membership,
    load: Option<Load>,
    places: Places,
    rests: Rests,
}

/// Where the servers come from.
enum Asked {
    /// Written down.
    List(Vec<Target>),
    /// Written down, with names that Envoy resolves: nothing to follow here.
    Names,
    /// A source that is watched.
    Source(Box<Watch>),
}

struct Watch {
    discovery: Discovery,
    watched: Watched,
    /// Why targets were left out that the source found.
    refused: Option<String>,
    word: JoinHandle<()>,
    /// Until when the first answer is worth waiting for.
    awaited_until_ms: u64,
}

/// How long a new source is waited for, in milliseconds.
const PATIENCE_MS: u64 = 3_000;

impl Drop for Watch {
    fn drop(&mut self) {
        self.word.abort();
    }
}

impl PoolRoster {
    /// The servers of `pool`; `before` are those of an earlier run.
    pub fn new(
        name: &PoolName,
        (pool, zone): (&Pool, Option<&ZoneName>),
        changed: &Arc<Notify>,
        before: impl FnOnce() -> Vec<Target>,
        now_ms: u64,
    ) -> PoolRoster {
        let mut new = PoolRoster {
            name: name.clone(),
            told: String::new(),
            asked: Asked::Names,
            membership: Membership::new(hold_empty(pool), pool.drain),
            load: Load::of(pool, zone.is_some()),
            places: Places::of(pool, zone),
            rests: Rests::new(pool.ejection.retry_after),
        };
        new.ask(pool, changed, before, now_ms);
        new
    }

    /// The same pool, perhaps configured otherwise. Who is no longer meant drains.
    pub fn configure(
        &mut self,
        (pool, zone): (&Pool, Option<&ZoneName>),
        changed: &Arc<Notify>,
        before: impl FnOnce() -> Vec<Target>,
        now_ms: u64,
    ) {
        self.membership.set(hold_empty(pool), pool.drain);
        self.load = Load::taking_over(self.load.take(), pool, zone.is_some());
        self.places = Places::of(pool, zone);
        self.rests.set(pool.ejection.retry_after);
        let same = match (&self.asked, &pool.discover) {
            (Asked::Source(watch), Some(discovery)) => watch.discovery == *discovery,
            _ => false,
        };
        if !same {
            self.ask(pool, changed, before, now_ms);
        }
    }

    fn ask(
        &mut self,
        pool: &Pool,
        changed: &Arc<Notify>,
        before: impl FnOnce() -> Vec<Target>,
        now_ms: u64,
    ) {
        self.membership.forget_doubt();
        self.asked = match &pool.discover {
            None => discovery::written_down(&pool.endpoints).map_or(Asked::Names, Asked::List),
            Some(discovery) => {
                let before = before();
                let patience_ms = if before.is_empty() { PATIENCE_MS } else { 0 };
                if self.membership.members().is_empty() {
                    self.membership.found(&before, now_ms);
                }
                Asked::Source(Box::new(Watch::start(discovery, changed, now_ms + patience_ms)))
            }
        };
    }

    /// Takes in what the source says and what time has brought; whether the
    /// servers are others than before.
    pub fn look(&mut self, now_ms: u64) -> bool {
        let before = self.membership.members();
        match &mut self.asked {
            Asked::List(targets) => self.membership.found(targets, now_ms),
            Asked::Source(watch) => {
                if watch.found().state != discovery::State::Fresh {
                    self.membership.doubt_again(now_ms);
                } else if let Some(targets) = watch.targets() {
                    self.membership.found(&targets, now_ms);
                }
            }
            Asked::Names => self.membership.forget_all(),
        }
        self.membership.tick(now_ms);
        self.tell();
        let moved = self.membership.members() != before;
        if let Some(load) = self.load.as_mut().filter(|_| moved) {
            load.servers_changed();
        }
        moved
    }

    /// A server has asked to be left alone for so long; whether it was not resting.
    pub fn put_off(&mut self, server: SocketAddr, seconds: u32, now_ms: u64) -> bool {
        let is_member = self.membership.has(server);
        let rests = is_member && self.rests.put_off(server, seconds, now_ms);
        if rests {
            // An engine may say so all day long; `status` and the metrics tell it, too.
            tracing::debug!(pool = %self.name, %server, seconds, "it has asked to be left alone");
        }
        rests
    }

    /// Takes in what time has brought to those who rest; whether others rest than before.
    pub fn look_at_rests(&mut self, now_ms: u64) -> bool {
        self.rests.look(|server| self.membership.has(server), now_ms)
    }

    /// Says in the log when the source begins to fail or to be doubted, and when
    /// it is well again.
    fn tell(&mut self) {
        let source = self.source();
        if source.state == self.told {
            return;
        }
        let (pool, kind, state) = (&self.name, &source.kind, &source.state);
        match (self.told.as_str(), source.state.as_str()) {
            (_, "failing" | "doubted") => {
                let error = source.error.as_deref().unwrap_or("it says that there are none");
                tracing::warn!(%pool, kind, state, error, "its endpoints stay as they were");
            }
            ("failing" | "doubted", "fresh") => tracing::info!(%pool, kind, "its source is well"),
            _ => {}
        }
        self.told = source.state;
    }

    /// Whether the source is still to say something, and that is worth waiting for.
    pub fn is_awaited(&self, now_ms: u64) -> bool {
        let Asked::Source(watch) = &self.asked else { return false };
        now_ms < watch.awaited_until_ms && watch.found().state == discovery::State::Waiting
    }

    /// What to ask the engines, if their load counts.
    pub fn scrapes(&self) -> Vec<Scrape> {
        let active = self.membership.members().into_iter().filter(|member| !member.draining);
        let load = self.load.as_ref();
        active.filter_map(|member| Some(load?.scrape(&member.target))).collect()
    }

    /// Whether it is time to weigh the servers anew.
    pub fn weighs_at(&self, now_ms: u64) -> bool {
        self.load.as_ref().is_some_and(|load| load.is_due(now_ms))
    }

    /// Weighs the servers anew; whether a weight is another than before. The
    /// reports have a clock of their own.
    pub fn weigh(
        &mut self,
        reports: &BTreeMap<SocketAddr, Report>,
        now_ms: u64,
        reports_now_ms: u64,
    ) -> bool {
        let Some(load) = &mut self.load else { return false };
        let members = self.membership.members();
        let active: Vec<_> = members.iter().filter(|member| !member.draining).collect();
        let addresses = active.iter().map(|member| member.target.address);
        let moved = load.weigh(addresses, reports, now_ms, reports_now_ms);
        let (near, far): (Vec<_>, Vec<_>) =
            active.iter().partition(|member| self.places.is_near(&member.target));
        let weight = |members: &[&&discovery::Member]| {
            members.iter().map(|member| self.places.weight(member.target.address)).sum::<f64>()
        };
        let far = weight(&far) / weight(&near);
        // Who rests has room that nobody may use.
        let near = near.iter().map(|member| member.target.address);
        let near = near.filter(|server| self.rests.until_ms(*server).is_none());
        moved | load.look_at_spill(near, far, reports, reports_now_ms)
    }

    /// How much of their weight servers of other zones have because of the load of those that
    /// are near, in percent; 0: they take no part.
    pub fn spill_share(&self) -> u8 {
        self.load.as_ref().map_or(0, Load::spill_share)
    }

    /// When something will change by itself.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let weighing = self.load.as_ref().and_then(Load::next_ms);
        let others = weighing.into_iter().chain(self.rests.next_ms());
        self.membership.next_deadline_ms().into_iter().chain(others).min()
    }

    /// The servers for the plan; `None` where Envoy resolves names.
    pub fn members(&self) -> Option<Vec<Member>> {
        if matches!(self.asked, Asked::Names) {
            return None;
        }
        let members = self.membership.members().into_iter();
        Some(members.map(|member| self.planned(member)).collect())
    }

    fn planned(&self, member: discovery::Member) -> Member {
        let address = member.target.address;
        let weight = self.load.as_ref().and_then(|load| load.weight(address));
        Member {
            zone: self.places.zone(&member.target).map(str::to_owned),
            hostname: member.target.hostname,
            draining: member.draining,
            resting: self.rests.until_ms(address).is_some(),
            weight: weight.map(|weight| self.places.weighted(address, weight)),
            ..Member::at(address)
        }
    }

    /// What was found, without those that drain; for the next run.
    pub fn found(&self) -> Option<(Discovery, Vec<Target>)> {
        let Asked::Source(watch) = &self.asked else { return None };
        let active = self.membership.members().into_iter().filter(|member| !member.draining);
        Some((watch.discovery.clone(), active.map(|member| member.target).collect()))
    }

    /// How the source is doing.
    pub fn source(&self) -> SourceStatus {
        match &self.asked {
            Asked::List(_) => SourceStatus { kind: "list".into(), ..SourceStatus::default() },
            Asked::Names => SourceStatus { kind: "envoy_dns".into(), ..SourceStatus::default() },
            Asked::Source(watch) => watch.status(self.membership.doubted_since_ms()),
        }
    }

    /// What is known of each server, by address.
    pub fn servers(
        &self,
        reports: &BTreeMap<SocketAddr, Report>,
        reports_now_ms: u64,
    ) -> BTreeMap<SocketAddr, ServerLoad> {
        let members = self.members().unwrap_or_default().into_iter();
        let told = |member: Member| {
            let report = self.load.as_ref().and_then(|_| reports.get(&member.address));
            let reading = report.and_then(|report| report.reading);
            let reading = reading.filter(|reading| reading.is_fresh(reports_now_ms));
            let load = ServerLoad {
                draining: member.draining,
                resting_until_ms: self.rests.until_ms(member.address),
                zone: member.zone,
                weight: member.weight,
                running: reading.and_then(|reading| reading.load.running),
                waiting: reading.and_then(|reading| reading.load.waiting),
                kv_use: reading.and_then(|reading| reading.load.kv_use),
            };
            (member.address, load)
        };
        members.map(told).collect()
    }
}

impl Watch {
    fn start(discovery: &Discovery, changed: &Arc<Notify>, awaited_until_ms: u64) -> Watch {
        let watched = discovery::watch(discovery, |name| std::env::var(name).ok());
        let (mut receiver, changed) = (watched.receiver.clone(), Arc::clone(changed));
        let word = tokio::spawn(async move {
            while receiver.changed().await.is_ok() {
                changed.notify_one();
            }
        });
        Watch { discovery: discovery.clone(), watched, refused: None, word, awaited_until_ms }
    }

    fn found(&self) -> Found {
        self.watched.receiver.borrow().clone()
    }

    /// The targets of the last success. A cluster speaks TLS or does not: what
    /// says otherwise than the pool is left out, and told of; if nothing is left
    /// then, the last ones stay.
    fn targets(&mut self) -> Option<Vec<Target>> {
        let tls = self.discovery.tls;
        let (fit, odd): (Vec<_>, Vec<_>) =
            self.found().targets?.into_iter().partition(|target| target.tls == tls);
        self.refused = odd.first().map(|first| {
            let (count, scheme) = (odd.len(), if tls { "https" } else { "http" });
            format!("{count} endpoints are left out, such as {}: not {scheme}", first.address)
        });
        (!fit.is_empty() || odd.is_empty()).then_some(fit)
    }

    /// A word for a source that names nobody and is believed: a name that is not
    /// in the DNS, say.
    fn says_none(&self) -> Option<String> {
        let none = self.found().targets.is_some_and(|targets| targets.is_empty());
        none.then(|| "it names no endpoint".to_owned())
    }

    fn status(&self, doubted_since_ms: Option<u64>) -> SourceStatus {
        let found = self.found();
        let (state, error, since_ms) = match found.state {
            discovery::State::Waiting => ("waiting", None, None),
            discovery::State::Failing { error, since_ms } => {
                ("failing", Some(error), Some(since_ms))
            }
            discovery::State::Fresh if doubted_since_ms.is_some() => {
                ("doubted", None, doubted_since_ms)
            }
            discovery::State::Fresh if self.refused.is_some() => {
                ("failing", self.refused.clone(), None)
            }
            discovery::State::Fresh => ("fresh", self.says_none(), None),
        };
        SourceStatus {
            kind: kind(&self.discovery.source).to_owned(),
            state: state.to_owned(),
            error,
            since_ms,
            confirmed_at_ms: Some(found.at_ms).filter(|at_ms| *at_ms > 0),
        }
    }
}

fn kind(source: &Source) -> &'static str {
    match source {
        Source::Env(_) => "env",
        Source::File(_) => "file",
        Source::Dns(_) => "dns",
        Source::Kubernetes(_) => "kubernetes",
        Source::Consul(_) => "consul",
    }
}

fn hold_empty(pool: &Pool) -> Duration {
    pool.discover.as_ref().map_or(Duration::ZERO, |discovery| discovery.hold_empty)
}
