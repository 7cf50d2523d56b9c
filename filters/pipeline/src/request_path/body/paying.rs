//! Limits and budgets come last, so that nothing has to be undone; then the request leaves.

use super::draft::{cannot_be_rewritten, edited};
use super::{Answers, Case, Decision, Draft};
use crate::affinity::{self, Beginning, Picked};
use crate::command::HeaderEdit;
use crate::exchange::{Forwarded, Onward};
use crate::privacy::Masked;
use crate::request_path::chain::{self, Came, Other, Sent, Untold, Way, path_at};
use crate::spending::{self, Admission, Course, Demand, Denied, Whose};
use billing::bound::{Asked, Bound};
use billing::table::Table;
use chat::edit::Edit;
use contract::lease::Wanted as Lease;
use contract::names::{PICK_HEADER, SHADOW_BODY_HEADER};
use contract::refusal::Refusal;
use contract::usage::{Tally, Who};
use routing::Model;
use std::mem;
use std::rc::Rc;

/// A draft, and what its first pool is given.
pub(super) struct Prepared<'p, 'b> {
    pub(super) model: &'p Model,
    pub(super) draft: Draft<'p, 'b>,
    /// What makes the body the first pool's own.
    pub(super) edits: Vec<Edit>,
    pub(super) answers: Answers,
    /// What bounds it there, but for the bytes that go out.
    pub(super) asked: Asked,
    pub(super) masked: Option<Masked>,
}

/// What was admitted.
struct Paid {
    way: Way,
    course: Box<Course>,
    /// Tokens of an answer that are put in at the first pool.
    tokens: Option<u64>,
    /// The same at each of the others, and the most that it can cost there.
    others: Vec<(Option<u64>, Bound)>,
    /// Tokens that are put in wherever it goes.
    cap: Option<u64>,
}

enum Payment {
    Paid(Paid),
    Lease(Vec<Lease>),
}

impl<'p, T: Table> Case<'p, T> {
    /// The request leaves if it is paid for.
    pub(super) fn leaves(
        &self,
        who: &mut Who,
        prepared: Prepared<'p, '_>,
        way: Way,
    ) -> Result<Decision, Denied> {
        let paid = match self.pay(who, &prepared, way)? {
            Payment::Lease(wanted) => return Ok(Decision::Lease(wanted)),
            Payment::Paid(paid) => paid,
        };
        match self.written(who, &prepared, &paid) {
            Ok(written) => Ok(self.forwarded(mem::take(who), prepared, paid, written)),
            Err(refusal) => {
                paid.course.settle(&Tally::default(), self.setting.till);
                Err(refusal.into())
            }
        }
    }

    /// Pays the most that the dearest pool of the way can cost. Where the budget has not that
    /// much, the way becomes [cheaper](Way::cheaper): the first pool is worth more than what
    /// might have come after it.
    fn pay(&self, who: &Who, prepared: &Prepared<'p, '_>, way: Way) -> Result<Payment, Denied> {
        let mut tried = way;
        loop {
            let (way, denied) = match self.pay_for(who, prepared, tried) {
                Ok(payment) => return Ok(payment),
                Err(unpaid) => unpaid,
            };
            if !denied.is_no_budget() {
                return Err(denied);
            }
            let asked = self.asked(prepared, &way);
            tried = way.cheaper(&asked).ok_or(denied)?;
        }
    }

    fn pay_for(
        &self,
        who: &Who,
        prepared: &Prepared<'p, '_>,
        way: Way,
    ) -> Result<Payment, (Way, Denied)> {
        let demand = match self.demand(who, prepared, &way) {
            Ok(demand) => demand,
            Err(refusal) => return Err((way, refusal.into())),
        };
        let (course, cap) = match spending::admit(&demand, self.setting.till, self.setting.may_ask)
        {
            Ok(Admission::Admitted { course, cap }) => (course, cap),
            Ok(Admission::Lease(wanted)) => return Ok(Payment::Lease(wanted)),
            Err(denied) => return Err((way, denied)),
        };
        let tokens = cap.or_else(|| demand.put_in());
        let both = way.others.iter().zip(demand.others());
        let put_in = |(other, bound): (&Other, &Bound)| {
            (cap.or_else(|| demand.put_in_at(&other.route.config, bound)), *bound)
        };
        let others = both.map(put_in).collect();
        Ok(Payment::Paid(Paid { way, course, tokens, others, cap }))
    }

    /// What it asks for at its first pool, along this way.
    fn asked(&self, prepared: &Prepared<'p, '_>, way: &Way) -> Asked {
        let body_bytes = prepared.draft.body_bytes(&prepared.edits);
        Asked { body_bytes, attempts_ms: way.attempts_ms(), ..prepared.asked }
    }

    fn demand(
        &self,
        who: &Who,
        prepared: &Prepared<'p, '_>,
        way: &Way,
    ) -> Result<Demand<'p>, Refusal> {
        let Prepared { model, draft, .. } = prepared;
        let asked = self.asked(prepared, way);
        let whose = Whose {
            caller: self.caller,
            user: who.user.as_deref(),
            model: model.name(),
            limits: model.limits(),
        };
        let pool = (draft.route.pool.as_str(), &draft.route.config);
        let rules = &self.policy.spending;
        let demand = Demand::of(rules, self.setting.till, &whose, pool, asked, draft.text_bytes)?;
        let others = way.others.iter().map(|other| other.bound(&asked)).collect();
        let can_be_capped = draft.parsed.generates() && way.others.is_empty();
        Ok(demand.capped_where_needed(can_be_capped).with_others(others))
    }

    fn forwarded(
        &self,
        mut who: Who,
        prepared: Prepared<'p, '_>,
        paid: Paid,
        written: Written,
    ) -> Decision {
        let Prepared { draft, answers, masked, .. } = prepared;
        let Paid { way, mut course, others, .. } = paid;
        let Written { mut headers, body, bodies, picked, is_watched } = written;
        let bounds = others.into_iter().map(|(_, bound)| bound);
        let is_sent_once = way.is_sent_once;
        let mut trace = None;
        if let Some(Picked { header, seat, trace: of }) = picked {
            headers.push(HeaderEdit::set(PICK_HEADER, header));
            course.sit(seat);
            trace = of;
        }
        let onward =
            Onward { others: chain::stops(way.others, bounds), is_sent_once, is_watched, trace };
        who.leases = course.leases();
        let forwarded = Forwarded {
            request_id: self.held.opened.request_id.clone(),
            asked: who.model.clone().unwrap_or_default(),
            expose_pool: self.policy.expose_pool,
            masked,
            course,
            answers,
            pool: Rc::clone(draft.route),
            onward,
            who,
        };
        Decision::Forward { edits: headers, body, bodies, forwarded: Box::new(forwarded) }
    }

    /// The bodies, and the headers that lead to the pools.
    fn written(
        &self,
        who: &Who,
        prepared: &Prepared<'p, '_>,
        paid: &Paid,
    ) -> Result<Written, Refusal> {
        let Prepared { draft, edits, .. } = prepared;
        let cap = draft.cap_edits(paid.tokens);
        let edits = draft.all(edits, &cap);
        let body = edited(draft.body, &edits)?;
        let length = body.as_ref().map_or(draft.body.len(), Vec::len);
        let sent = Sent { edits, length };
        let came = self.came(draft);
        let bodies = bodies(came, draft, paid, &sent)?;
        let first_token_ms = || paid.way.first_token_ms(self.policy.stream_idle_timeout_ms);
        let first_token_ms = who.stream.then(first_token_ms).flatten();
        let is_watched = first_token_ms.is_some();
        let mut headers = paid.way.headers(who.stream, first_token_ms);
        let own_path = paid.way.others.is_empty() && !draft.route.config.base_path.is_empty();
        if own_path {
            headers.push(HeaderEdit::set(":path", path_at(&draft.route.config, came.path)));
        }
        headers.extend(self.shadow_headers(prepared, paid, &sent));
        Ok(Written { headers, body, bodies, picked: self.pick(who, draft), is_watched })
    }

    /// What sends a copy to another pool: never to the one that has the request anyway, and
    /// nothing that the pool may not take or cannot be told of.
    fn shadow_headers(
        &self,
        prepared: &Prepared<'p, '_>,
        paid: &Paid,
        sent: &Sent<'_>,
    ) -> Vec<HeaderEdit> {
        let Prepared { model, draft, .. } = prepared;
        let shadow = model.shadow(&self.held.opened.request_id);
        let shadow = shadow.filter(|route| route.pool != draft.route.pool);
        let Some(route) = shadow.filter(|route| chain::may_serve(&route.config, draft)) else {
            return Vec::new();
        };
        let (edits, _) = draft.parsed.edits(&route.config, self.salt);
        let others = paid.way.others.iter().map(|other| &other.route.config);
        let way = std::iter::once(&draft.route.config).chain(others);
        let own = route.config.max_tokens.filter(|_| draft.parsed.asked_tokens().is_none());
        let cap = draft.cap_edits(paid.cap.or(own));
        let edits = draft.all(&edits, &cap);
        let told = chain::shadow_headers(self.came(draft), sent, way, (&route.config, &edits));
        let is_told = told.iter().any(|header| header.name == SHADOW_BODY_HEADER);
        if is_told && !self.policy.tells_copies { Vec::new() } else { told }
    }

    fn came<'d>(&'d self, draft: &Draft<'_, 'd>) -> Came<'d> {
        let opened = &self.held.opened;
        Came { body: draft.body, path: opened.told.text(":path").unwrap_or(opened.path) }
    }

    /// The servers of the first pool that should have it.
    fn pick(&self, who: &Who, draft: &Draft<'_, '_>) -> Option<Picked> {
        let beginning = Beginning {
            tenant: &self.caller.tenant,
            user: who.user.as_deref().unwrap_or(&self.caller.key),
            body: draft.body,
            texts: draft.texts.as_ref(),
            masked: &draft.masked,
        };
        affinity::pick(draft.route, &beginning, self.setting)
    }
}

/// What each pool of the way gets, where they do not all get the same.
fn bodies(
    came: Came<'_>,
    draft: &Draft<'_, '_>,
    paid: &Paid,
    sent: &Sent<'_>,
) -> Result<Option<Vec<u8>>, Refusal> {
    if paid.way.others.is_empty() {
        return Ok(None);
    }
    let caps: Vec<_> = paid.others.iter().map(|(tokens, _)| draft.cap_edits(*tokens)).collect();
    let both = paid.way.others.iter().zip(&caps);
    let others = both.map(|(other, cap)| (&other.route.config, draft.all(&other.edits, cap)));
    let others: Vec<_> = others.collect();
    chain::bodies(came, (&draft.route.config, sent), &others)
        .map_err(|Untold| cannot_be_rewritten())
}

/// What leaves.
struct Written {
    headers: Vec<HeaderEdit>,
    body: Option<Vec<u8>>,
    bodies: Option<Vec<u8>>,
    picked: Option<Picked>,
    /// See [`Onward::is_watched`].
    is_watched: bool,
}
