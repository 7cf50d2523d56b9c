//! The headers of an answer: which pool it comes from, and how it is read.

use super::{State, Stream, journal, note_who};
use crate::host::{self, AnswerHead};
use crate::station::SharedTable;
use pipeline::exchange::Forwarded;
use pipeline::response_path::{self, Head};
use proxy_wasm::types::Action;

impl Stream {
    /// The headers of the answer have arrived.
    pub(super) fn on_answer(&mut self, mut forwarded: Forwarded, end_of_stream: bool) -> Action {
        land(&mut forwarded);
        let head = AnswerHead::enter();
        let headers = head.headers();
        let watch = (forwarded.onward.is_watched && !end_of_stream).then_some(&self.gateway.watch);
        self.watched = watch.map(|watch| watch.begin(self.context));
        let till = || self.gateway.station.till();
        response_path::on_server(&forwarded, &headers, host::upstream_address, till);
        let Head { edits, answering, reply } =
            response_path::on_headers(forwarded, &headers, end_of_stream, || head.is_engines());
        if end_of_stream {
            journal(&self.gateway.policy, &answering, self.started_ms);
        }
        self.state = State::Answering(Box::new(answering));
        if let Some(reply) = reply {
            head.reply(&reply);
            return Action::Pause;
        }
        head.edit(&edits);
        Action::Continue
    }
}

/// Another pool than the first may have answered, or have had the request last: the ledger is
/// told.
pub(super) fn land(forwarded: &mut Forwarded) {
    if forwarded.may_land_elsewhere()
        && let Some(cluster) = host::cluster_name()
        && forwarded.land(&cluster, &SharedTable)
    {
        note_who(&forwarded.who);
    }
}
