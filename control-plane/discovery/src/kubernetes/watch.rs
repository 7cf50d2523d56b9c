//! Listing the slices of a service, and following what happens to them.

use super::access::{refused, told};
use super::slices::Slices;
use crate::backoff::Backoff;
use crate::source::Sink;
use futures::{Stream, StreamExt};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams, ObjectList, WatchEvent, WatchParams};
use kube::core::Status;
use model::Kubernetes;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Slices of one page of a list.
const PAGE_SLICES: u32 = 100;

/// Most pages of one list: at least 200,000 endpoints, far more than a pool has;
/// a list that does not end is given up.
const PAGES_MAX: usize = 20;

/// After how many seconds the server ends a watch, that is how long a connection
/// that died unnoticed can hide a change.
const WATCH_SECONDS: u32 = 120;

/// How much later than that the end may come.
const WATCH_MARGIN: Duration = Duration::from_secs(5);

/// How long the server may take for a page, or to begin a watch.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Watches in a row that were closed at once and without an event, until the
/// operator is told: one is what a restart of the server looks like.
const HASTY_MAX: u32 = 3;

/// The watch of one service.
pub(super) struct Watch {
    api: Api<EndpointSlice>,
    service: Kubernetes,
    tls: bool,
    sink: Sink,
    backoff: Backoff,
    slices: Slices,
}

/// How a watch ended.
enum Ended {
    /// In good order, as every watch does at some time.
    Closed,
    /// Soon after it was opened.
    Hastily,
    /// 410 Gone: what it would go on from is forgotten.
    Expired,
    /// The connection or the server failed; it can go on from where it was.
    Broken(String),
    /// It said what cannot be understood, and would do so again.
    Garbled(String),
}

impl Watch {
    pub(super) fn new(
        client: kube::Client,
        service: Kubernetes,
        tls: bool,
        sink: Sink,
        backoff: Backoff,
    ) -> Self {
        let api = Api::namespaced(client, &service.namespace);
        Watch { api, service, tls, sink, backoff, slices: Slices::default() }
    }

    /// Goes on for ever.
    pub(super) async fn run(mut self) {
        loop {
            match self.list().await {
                Ok(version) => self.follow(version).await,
                Err(reason) => self.sink.failing(reason),
            }
            sleep(self.backoff.failed()).await;
        }
    }

    /// Takes over all slices and gives the version that they have. A list that
    /// stops half way changes nothing.
    async fn list(&mut self) -> Result<String, String> {
        let mut listed = Slices::default();
        let mut params = ListParams::default().labels(&self.selector()).limit(PAGE_SLICES);
        for _ in 0..PAGES_MAX {
            let page = self.page(&params).await?;
            page.items.into_iter().for_each(|slice| listed.put(slice));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.slices = listed;
                self.publish();
                let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                return version.ok_or_else(|| no_version("a list"));
            }
        }
        Err(format!("the service has EndpointSlices for more than {PAGES_MAX} pages"))
    }

    async fn page(&self, params: &ListParams) -> Result<ObjectList<EndpointSlice>, String> {
        let page = timeout(ANSWER_WITHIN, self.api.list(params)).await;
        page.map_err(|_| no_answer())?.map_err(|error| told(&error))
    }

    /// Follows what happens after `version`, until everything has to be listed
    /// again.
    async fn follow(&mut self, mut version: String) {
        loop {
            match self.watch(&mut version).await {
                Ended::Closed => continue,
                Ended::Expired => return,
                Ended::Hastily if self.backoff.failures() < HASTY_MAX => {}
                Ended::Hastily => self.sink.failing("Kubernetes closes every watch at once".into()),
                Ended::Broken(reason) => self.sink.failing(reason),
                Ended::Garbled(reason) => return self.sink.failing(reason),
            }
            sleep(self.backoff.failed()).await;
        }
    }

    /// One watch from `version` on, which is moved forward.
    async fn watch(&mut self, version: &mut String) -> Ended {
        let api = self.api.clone();
        let params = WatchParams::default().labels(&self.selector()).timeout(WATCH_SECONDS);
        match timeout(ANSWER_WITHIN, api.watch(&params, version)).await {
            Err(_) => Ended::Broken(no_answer()),
            Ok(Err(error)) => Ended::from(error),
            Ok(Ok(events)) => self.take(pin!(events), version).await,
        }
    }

    /// Takes over events. A watch that stays open for a while without an event
    /// says that there are none: what is known is still right.
    async fn take(
        &mut self,
        mut events: impl Stream<Item = kube::Result<WatchEvent<EndpointSlice>>> + Unpin,
        version: &mut String,
    ) -> Ended {
        let opened_at = Instant::now();
        let ends_at = opened_at + Duration::from_secs(WATCH_SECONDS.into()) + WATCH_MARGIN;
        let mut settled = false;
        loop {
            let until = if settled { ends_at } else { opened_at + self.backoff.first() };
            match timeout_at(until, events.next()).await {
                Ok(Some(Ok(event))) => match self.apply(event, version) {
                    Ok(()) => self.confirm(),
                    Err(ended) => return ended,
                },
                Ok(Some(Err(error))) => return Ended::from(error),
                Ok(None) if opened_at.elapsed() < self.backoff.first() => return Ended::Hastily,
                Err(_) if !settled => self.confirm(),
                Ok(None) | Err(_) => return Ended::Closed,
            }
            settled = true;
        }
    }

    fn apply(
        &mut self,
        event: WatchEvent<EndpointSlice>,
        version: &mut String,
    ) -> Result<(), Ended> {
        let next = match event {
            WatchEvent::Added(slice) | WatchEvent::Modified(slice) => {
                let next = slice.metadata.resource_version.clone();
                self.slices.put(slice);
                next
            }
            WatchEvent::Deleted(slice) => {
                self.slices.remove(&slice);
                slice.metadata.resource_version
            }
            WatchEvent::Bookmark(bookmark) => Some(bookmark.metadata.resource_version),
            WatchEvent::Error(status) => return Err(Ended::from_status(&status)),
        };
        *version = next
            .filter(|version| !version.is_empty())
            .ok_or_else(|| Ended::Garbled(no_version("an event")))?;
        Ok(())
    }

    fn confirm(&mut self) {
        self.backoff.worked();
        self.publish();
    }

    /// Says what the slices offer. A service always has a slice; without one it
    /// is gone, or its name is wrong.
    fn publish(&self) {
        let Kubernetes { namespace, service, port, .. } = &self.service;
        if self.slices.is_empty() {
            let none = format!("there is no service `{service}` in namespace `{namespace}`");
            return self.sink.found_partly(Vec::new(), none);
        }
        let offered = self.slices.offered(port.as_deref(), self.tls);
        let endpoints = offered.endpoints.into_iter().collect();
        self.sink.found_usable(endpoints, offered.zones, &offered.problems);
    }

    fn selector(&self) -> String {
        format!("kubernetes.io/service-name={}", self.service.service)
    }
}

impl Ended {
    /// A status without a code is what the client makes of an event that it cannot
    /// read.
    fn from_status(status: &Status) -> Ended {
        match status.code {
            410 => Ended::Expired,
            0 => Ended::Garbled("Kubernetes sent an event that cannot be understood".into()),
            _ => Ended::Broken(refused(status)),
        }
    }
}

impl From<kube::Error> for Ended {
    fn from(error: kube::Error) -> Ended {
        match &error {
            kube::Error::Api(status) => Ended::from_status(status),
            kube::Error::SerdeError(_) => Ended::Garbled(told(&error)),
            _ => Ended::Broken(told(&error)),
        }
    }
}

fn no_answer() -> String {
    format!("Kubernetes did not answer within {} s", ANSWER_WITHIN.as_secs())
}

fn no_version(of: &str) -> String {
    format!("Kubernetes left the resourceVersion out of {of}")
}
