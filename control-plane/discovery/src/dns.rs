//! Asks name servers, and finds endpoints by SRV records (RFC 2782).
//!
//! Every question goes out: nothing is cached here beyond the TTL that the caller
//! keeps, and the system's settings are read each time, so that a changed
//! `resolv.conf` or hosts file counts from the next question on.

use crate::backoff::Backoff;
use crate::error::Error;
use crate::pace;
use crate::source::Sink;
use crate::written;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use model::Endpoint;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long one name server may think before it is asked once more.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a question is repeated.
const REPEATS: usize = 1;
/// How long a question may take with every suffix of the search list.
pub(crate) const QUESTION_MAX: Duration = Duration::from_secs(15);
/// How long an entry of the hosts file is used.
const HOSTS_TTL: Duration = Duration::from_secs(5);

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) struct NameServer {
    /// `None`: the hosts file and name servers of the system, with its search list.
    pub(crate) server: Option<SocketAddr>,
    /// See [`PATIENCE`].
    pub(crate) patience: Duration,
}

/// What a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    /// Empty: there is no such name, or it has no such records.
    pub(crate) values: Vec<T>,
    /// How long it may be used.
    pub(crate) ttl: Duration,
}

impl NameServer {
    /// The given one, or those of the system.
    pub(crate) fn new(server: Option<SocketAddr>) -> NameServer {
        NameServer { server, patience: PATIENCE }
    }

    /// The A records of a name, or its AAAA records if it has none: an engine
    /// with both is one engine, and Envoy is told to prefer IPv4 as well where it
    /// resolves names itself. What the hosts file says comes first.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Answer<IpAddr>, Error> {
        if self.server.is_none()
            && let Some(answer) = in_hosts_file(name).await
        {
            return Ok(answer);
        }
        let v4 = self.ask(name, RecordType::A, ip).await?;
        if v4.values.is_empty() { self.ask(name, RecordType::AAAA, ip).await } else { Ok(v4) }
    }

    /// The SRV records of a name.
    pub(crate) async fn services(&self, name: &str) -> Result<Answer<SRV>, Error> {
        let srv = |data: &RData| match data {
            RData::SRV(srv) => Some(srv.clone()),
            _ => None,
        };
        self.ask(name, RecordType::SRV, srv).await
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, Error> {
        let asked = timeout(QUESTION_MAX, self.search(name, kind, pick)).await;
        let late = |_| unanswered(name, format!("no answer in {} s", QUESTION_MAX.as_secs()));
        asked.map_err(late)?
    }

    /// Tries the suffixes of the search list in turn. A suffix that cannot be
    /// asked for leaves open what the name stands for, so that the others saying
    /// "no such name" is no answer.
    async fn search<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, Error> {
        let (config, options) = self.settings()?;
        let candidates = candidates(name, &config.search, options.ndots)?;
        let resolver = resolver(config, options).map_err(|error| no_server(&error))?;
        let mut failure = None;
        for candidate in candidates {
            match resolver.lookup(candidate, kind).await {
                Ok(lookup) => {
                    let ttl_s = lookup.answers().iter().map(|record| record.ttl).min();
                    let ttl = Duration::from_secs(u64::from(ttl_s.unwrap_or(0)));
                    let records = lookup.answers().iter();
                    let values: Vec<T> = records.filter_map(|record| pick(&record.data)).collect();
                    if !values.is_empty() {
                        return Ok(Answer { values, ttl });
                    }
                }
                Err(error) if error.is_no_records_found() => {}
                Err(error) => failure = Some(error),
            }
        }
        let none = Answer { values: Vec::new(), ttl: Duration::ZERO };
        failure.map_or(Ok(none), |error| Err(unanswered(name, error.to_string())))
    }

    fn settings(&self) -> Result<(ResolverConfig, ResolverOpts), Error> {
        let (config, mut options) = match self.server {
            Some(server) => (only(server), ResolverOpts::default()),
            None => system_conf::read_system_conf().map_err(|error| no_server(&error))?,
        };
        options.timeout = self.patience;
        options.attempts = REPEATS;
        options.cache_size = 0;
        // Asked for in `in_hosts_file`: the resolver would look for one suffix only.
        options.use_hosts_file = ResolveHosts::Never;
        Ok((config, options))
    }
}

fn ip(data: &RData) -> Option<IpAddr> {
    data.ip_addr()
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

fn resolver(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, NetError> {
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.with_options(options).build()
}

/// The names that `name` may stand for, in the order of `resolv.conf(5)`: one with
/// fewer dots than `ndots` is taken as it is only after the search list.
fn candidates(name: &str, search: &[Name], ndots: usize) -> Result<Vec<Name>, Error> {
    let parsed = Name::from_utf8(name).map_err(|_| Error::NoName(name.to_owned()))?;
    let mut absolute = parsed.clone();
    absolute.set_fqdn(true);
    if parsed.is_fqdn() {
        return Ok(vec![absolute]);
    }
    let with_suffix = |suffix: &Name| parsed.clone().append_domain(suffix).ok();
    let mut names: Vec<Name> = search.iter().filter_map(with_suffix).collect();
    let dots = name.matches('.').count();
    names.insert(if dots >= ndots { 0 } else { names.len() }, absolute);
    Ok(names)
}

/// What the hosts file says, which is for addresses alone.
async fn in_hosts_file(name: &str) -> Option<Answer<IpAddr>> {
    let name = Name::from_utf8(name).ok()?;
    let look = move || find(&Hosts::from_system().ok()?, &name);
    let values = tokio::task::spawn_blocking(look).await.ok()??;
    Some(Answer { values, ttl: HOSTS_TTL })
}

fn find(hosts: &Hosts, name: &Name) -> Option<Vec<IpAddr>> {
    [RecordType::A, RecordType::AAAA].into_iter().find_map(|kind| {
        let lookup = hosts.lookup_static_host(&Query::query(name.clone(), kind))?;
        let records = lookup.answers().iter();
        let ips: Vec<IpAddr> = records.filter_map(|record| ip(&record.data)).collect();
        (!ips.is_empty()).then_some(ips)
    })
}

fn unanswered(name: &str, what: String) -> Error {
    Error::Unanswered { name: name.to_owned(), what }
}

fn no_server(error: &NetError) -> Error {
    Error::NoNameServer(error.to_string())
}

/// Asks for the SRV records of `name` for ever; their targets are resolved later.
pub(crate) async fn run_srv(name: String, server: NameServer, tls: bool, sink: Sink) {
    let mut backoff = Backoff::default();
    loop {
        let answer = server.services(&name).await;
        let answered = answer.as_ref().ok().filter(|answer| !answer.values.is_empty());
        let ttl = answered.map(|answer| answer.ttl);
        sink.read(answer.and_then(|answer| usable(&name, &answer.values, tls)));
        sleep(pace::until_next(ttl, &mut backoff)).await;
    }
}

/// The endpoints of the lowest priority; the higher ones are for when those are
/// out of reach, which Envoy's health checks know and this does not. Weights are
/// ignored: the load of an engine decides. A target of `.` says that there is no
/// such service (RFC 2782).
fn usable(name: &str, services: &[SRV], tls: bool) -> Result<Vec<Endpoint>, Error> {
    let offered = services.iter().filter(|srv| !srv.target.is_root());
    let lowest = offered.clone().map(|srv| srv.priority).min();
    let texts: BTreeSet<String> = offered
        .filter(|srv| Some(srv.priority) == lowest)
        .map(|srv| format!("{}:{}", srv.target.to_string().trim_end_matches('.'), srv.port))
        .collect();
    let parse = |text: &String| {
        written::endpoint(text, tls).map_err(|_| unanswered(name, format!("{text} is no endpoint")))
    };
    texts.iter().map(parse).collect()
}

#[cfg(test)]
mod tests;
