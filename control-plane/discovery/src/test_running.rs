//! A source under test, and waiting for what it says.

use crate::source::{Listed, Sink};
use model::Endpoint;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::task::JoinHandle;

/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A source that runs until this is dropped.
pub(crate) struct Running {
    listed: Receiver<Listed>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// Starts what `source` makes of a sink.
    pub(crate) fn start<F>(source: impl FnOnce(Sink) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sink, listed) = Sink::new();
        Running { listed, task: tokio::spawn(source(sink)) }
    }

    /// Waits until what it says is as `is_so` wants it.
    pub(crate) async fn until(&mut self, is_so: impl Fn(&Listed) -> bool) -> Listed {
        let seen = tokio::time::timeout(DEADLINE, self.listed.wait_for(is_so)).await;
        let seen = seen.map(|listed| listed.unwrap().clone());
        seen.unwrap_or_else(|_| panic!("still {:?}", *self.listed.borrow()))
    }

    /// Waits until exactly these URLs are known and nothing is wrong.
    pub(crate) async fn until_found(&mut self, urls: &[&str]) {
        let expected = endpoints(urls);
        self.until(|now| now.error.is_none() && now.endpoints.as_ref() == Some(&expected)).await;
    }

    /// Waits until something is wrong that is told with `part`.
    pub(crate) async fn until_failing(&mut self, part: &str) -> Listed {
        self.until(|now| now.error.as_ref().is_some_and(|error| error.contains(part))).await
    }
}

/// The endpoints at `urls`.
pub(crate) fn endpoints(urls: &[&str]) -> Vec<Endpoint> {
    urls.iter().map(|url| Endpoint::parse(url).unwrap()).collect()
}

/// Waits until `is_so`.
pub(crate) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}
