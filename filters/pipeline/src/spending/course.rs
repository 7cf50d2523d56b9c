//! The course of an admitted request: what it has used by now, whether that is still paid
//! for, and what it comes to.

use super::Till;
use super::demand::{Demand, prompt_tokens};
use crate::affinity::Seat;
use billing::bound::Bound;
use billing::concurrency::{self, Entered};
use billing::estimate::{self, Delivered, Learned, Seen};
use billing::lease::{self, Reservation};
use billing::limits::{self, Admitted, Standings};
use billing::price::cost_nanodollars;
use billing::table::Table;
use chat::reply::Reader;
use contract::lease::Wanted;
use contract::policy::PoolConfig;
use contract::price::Prices;
use contract::usage::{Source, Tally};

/// Tokens beyond which an estimate that passes its bound is no matter of a few words.
const FAR_TOKENS: u64 = 64;

/// An admitted request. It has to be [settled](Course::settle) once.
#[derive(Debug)]
pub struct Course {
    limits: Option<Admitted>,
    place: Option<Entered>,
    seat: Option<Seat>,
    reservation: Reservation,
    fare: Fare,
    text_bytes: u64,
    images: u64,
    pages: u64,
    began_ms: u64,
    is_capped: bool,
    has_media: bool,
}

/// What the pool that answers takes for it.
#[derive(Debug)]
struct Fare {
    pool: String,
    prices: Prices,
    learned: Learned,
    input_tokens: u64,
    /// The most that was reserved: an estimate beyond it is wrong.
    most_output: u64,
    slice_nanodollars: u64,
}

impl Fare {
    fn of((name, pool): (&str, &PoolConfig), bound: &Bound, learned: Learned, bytes: u64) -> Fare {
        Fare {
            pool: name.to_owned(),
            prices: pool.prices,
            input_tokens: prompt_tokens(&learned, bytes).min(bound.input_tokens()),
            learned,
            most_output: bound.output_tokens(),
            slice_nanodollars: bound.gpu_slice_nanodollars(),
        }
    }
}

/// Text of an answer; what is no stream has no events that could be counted.
fn text(reader: &Reader, of: chat::Delivered) -> Delivered {
    let events = if reader.is_event_stream() { of.events } else { 0 };
    Delivered { events, bytes: of.bytes }
}

/// An estimate beyond the most that an engine was allowed is wrong by a little; one that is
/// far beyond says that the engine goes on.
fn believed(estimate: u64, most: u64) -> u64 {
    let far = most.saturating_add(most / 2).saturating_add(FAR_TOKENS);
    if estimate > far { estimate } else { estimate.min(most) }
}

impl Course {
    pub(super) fn begin(
        (limits, place): (Option<Admitted>, Option<Entered>),
        reservation: Reservation,
        demand: &Demand<'_>,
        is_capped: bool,
        now_ms: u64,
    ) -> Course {
        Course {
            limits,
            place,
            seat: None,
            reservation,
            fare: Fare::of(
                (demand.pool_name, demand.pool),
                &demand.bound,
                demand.learned,
                demand.text_bytes,
            ),
            text_bytes: demand.text_bytes,
            images: demand.asked.images,
            pages: demand.asked.pages,
            began_ms: now_ms,
            is_capped,
            has_media: demand.asked.media > 0,
        }
    }

    /// It is under way at a server that was picked for it.
    pub fn sit(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Another pool of the chain has answered than the first: from now on its prices count,
    /// and what was learned of it. `bound` is what was reserved for it at most.
    pub fn land(&mut self, pool: (&str, &PoolConfig), bound: &Bound, table: &impl Table) {
        let learned = Learned::of(table, pool.0);
        self.fare = Fare::of(pool, bound, learned, self.text_bytes);
    }

    /// The leases that it is paid from.
    #[must_use]
    pub fn leases(&self) -> Vec<u64> {
        self.reservation.leases()
    }

    /// What is reserved for it, in nano-dollars.
    #[cfg(test)]
    pub(crate) fn reserved(&self) -> u64 {
        self.paid()
    }

    /// How its limits stand.
    #[must_use]
    pub fn standing(&self) -> Option<&Standings> {
        self.limits.as_ref().map(|limits| &limits.standing)
    }

    /// Whether time has a price, so that the count changes with it.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.fare.prices.gpu_second > 0
    }

    /// What is used as soon as an engine has the request: the prompt, as far as it can be
    /// known.
    #[must_use]
    pub fn at_start(&self) -> Tally {
        Tally {
            input: self.fare.input_tokens,
            images: self.images,
            pages: self.pages,
            source: Source::Estimated,
            ..Tally::default()
        }
    }

    /// What is used by now: what came after the engine's last count is estimated. `now_ms` is
    /// only asked where time has a price.
    #[must_use]
    pub fn count(&self, reader: &Reader, before: Tally, now_ms: impl FnOnce() -> u64) -> Tally {
        let gpu_ms = if self.is_timed() { now_ms().saturating_sub(self.began_ms) } else { 0 };
        let audio_ms = reader.audio_ms().unwrap_or(0);
        let all = text(reader, reader.delivered());
        // An engine that counts prompts alone has not counted the text.
        let counted = if reader.counts_output() { reader.counted() } else { Default::default() };
        let counted = text(reader, counted);
        let since = Delivered {
            events: all.events.saturating_sub(counted.events),
            bytes: all.bytes.saturating_sub(counted.bytes),
        };
        let base = Tally { gpu_ms, audio_ms, images: self.images, pages: self.pages, ..before };
        match reader.usage() {
            None => Tally {
                input: self.fare.input_tokens,
                output: believed(self.fare.learned.output_tokens(all), self.fare.most_output),
                source: Source::Estimated,
                ..base
            },
            Some(usage) => {
                let is_whole = !reader.is_event_stream() && reader.counts_output();
                let is_told = is_whole || since.bytes == 0;
                let room = self.fare.most_output.saturating_sub(usage.output);
                let more = if is_told {
                    0
                } else {
                    believed(self.fare.learned.output_tokens(since), room)
                };
                Tally {
                    input: usage.input,
                    cached_input: usage.cached_input,
                    output: usage.output.saturating_add(more),
                    reasoning: usage.reasoning,
                    source: if is_told { Source::Running } else { Source::Estimated },
                    ..base
                }
            }
        }
    }

    /// The count of an exchange that was cut: the engine's time goes on until now.
    #[must_use]
    pub fn until_now(&self, tally: Tally, now_ms: u64) -> Tally {
        let is_over = tally.whole || tally.cut || tally.source == Source::None;
        if !self.is_timed() || is_over {
            return tally;
        }
        let later = Tally { gpu_ms: now_ms.saturating_sub(self.began_ms), ..tally };
        let is_paid = self.reservation.is_empty() || self.cost(&later) <= self.paid();
        if is_paid { later } else { tally }
    }

    /// Whether the answer was cut by the `max_tokens` that the budget could pay for.
    #[must_use]
    pub fn is_cut_short(&self, reader: &Reader) -> bool {
        self.is_capped && reader.stopped_by_length()
    }

    /// Whether `tally` is paid for; more is reserved where it is not yet. Where time has a
    /// price it is reserved ahead, half a slice before it is needed, and `wanted` is what the
    /// control plane is to be asked for where the gateway has no more.
    #[must_use]
    pub fn affords<'t, T: Table + 't>(
        &mut self,
        tally: &Tally,
        till: impl FnOnce() -> Till<'t, T>,
        wanted: &mut Vec<Wanted>,
    ) -> bool {
        if self.reservation.is_empty() {
            return true;
        }
        let cost = self.cost(tally);
        let ahead = cost.saturating_add(self.fare.slice_nanodollars / 2);
        if ahead <= self.paid() {
            return true;
        }
        let till = till();
        let missing = cost.saturating_sub(self.paid());
        let more = missing.saturating_add(self.fare.slice_nanodollars);
        match lease::extend(till.table, &mut self.reservation, more, till.now_ms) {
            Ok(()) => return true,
            Err(short) if self.is_timed() => wanted.extend(short.missing),
            Err(_) => {}
        }
        missing == 0
            || lease::extend(till.table, &mut self.reservation, missing, till.now_ms).is_ok()
    }

    fn paid(&self) -> u64 {
        self.reservation.nanodollars()
    }

    fn cost(&self, tally: &Tally) -> u64 {
        u64::try_from(cost_nanodollars(&self.fare.prices, tally)).unwrap_or(0)
    }

    /// The request has ended with `tally`: what was taken and not used goes back.
    pub fn settle<T: Table>(self, tally: &Tally, till: &Till<'_, T>) {
        let cost = self.cost(tally);
        lease::settle(till.table, self.reservation, cost, till.now_ms);
        if let Some(limits) = &self.limits {
            let tokens = tally.input.saturating_add(tally.output);
            limits::settle(till.table, limits, tokens, till.now_ns());
        }
        if let Some(place) = self.place {
            concurrency::leave(till.table, place);
        }
        if let Some(seat) = self.seat {
            seat.leave(till);
        }
    }

    /// An engine has counted a whole answer: later estimates are the better for it. `turn`
    /// is how many answers the VM has seen.
    pub fn learn<T: Table>(&self, reader: &Reader, tally: &Tally, turn: u64, table: &T) {
        if tally.source != Source::Engine || tally.output == 0 {
            return;
        }
        // What media come to says nothing of texts.
        let of_text = if self.has_media { 0 } else { tally.input };
        let seen = Seen {
            delivered: text(reader, reader.delivered()),
            output: tally.output,
            request_bytes: self.text_bytes,
            input: of_text,
        };
        estimate::learn(table, &self.fare.pool, turn, &seen);
    }
}
