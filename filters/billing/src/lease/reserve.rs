//! A request's money: reserved, extended, settled.

use super::cell::NEVER_MS;
use super::slot::Slot;
use super::{Part, Payer, Reservation, Short, name};
use crate::table::{Table, change_surely};
use contract::lease::Wanted;

/// How often all accounts are tried anew when somebody took what had been seen there.
const TRIES: usize = 3;

/// Seconds after which it is worth to try again where other requests hold money that they may
/// not need.
const HELD_RETRY_S: u64 = 2;

/// Reserves `nanodollars` from a lease of each of `payers`, for a request of `vm`. Accounts
/// that are known to have no budget pay nothing, and where there is nothing to pay nobody
/// does.
///
/// # Errors
/// Some account cannot pay; nothing is reserved.
pub fn reserve(
    table: &impl Table,
    payers: &[Payer],
    nanodollars: u64,
    vm: u32,
    now_ms: u64,
) -> Result<Reservation, Short> {
    if nanodollars == 0 {
        return Ok(Reservation { vm, ..Reservation::default() });
    }
    // With several accounts nothing is held, for however short a time, for a request that
    // another of them cannot pay.
    let mut shall_look = payers.len() > 1;
    for _ in 0..TRIES {
        if let Some(short) = shall_look.then(|| short(table, payers, nanodollars, now_ms)).flatten()
        {
            return Err(short);
        }
        if let Some(reservation) = held(table, payers, nanodollars, vm, now_ms) {
            return Ok(reservation);
        }
        shall_look = true;
    }
    Err(short(table, payers, nanodollars, now_ms).unwrap_or_else(busy))
}

/// What there is to say when others always are faster.
fn busy() -> Short {
    Short { missing: Vec::new(), available: 0, retry_after_s: Some(1) }
}

/// Holds money of all payers or of none.
fn held(
    table: &impl Table,
    payers: &[Payer],
    nanodollars: u64,
    vm: u32,
    now_ms: u64,
) -> Option<Reservation> {
    let mut reservation = Reservation { vm, nanodollars, parts: Vec::with_capacity(payers.len()) };
    for payer in payers {
        let mut hold = |value: Option<&[u8]>| {
            let mut slot = Slot::of(value);
            if slot.is_unbounded(payer, now_ms) {
                return (None, Some(None));
            }
            let open = slot.open(payer).filter(|cell| cell.is_usable(now_ms));
            let held =
                open.and_then(|cell| Some((cell.lease, cell.hold(vm, nanodollars, now_ms)?)));
            (held.map(|_| slot.written()), held.map(Some))
        };
        let Some(held) = table.change(&name(payer.slot), &mut hold).flatten() else {
            settle(table, reservation, 0, now_ms);
            return None;
        };
        let payer = || payer.clone();
        let part = |(lease, epoch)| Part { payer: payer(), lease, epoch, nanodollars };
        reservation.parts.extend(held.map(part));
    }
    Some(reservation)
}

/// What is missing where some payer cannot pay.
fn short(table: &impl Table, payers: &[Payer], nanodollars: u64, now_ms: u64) -> Option<Short> {
    let lack = |payer: &Payer| {
        let mut slot = Slot::of(table.read(&name(payer.slot)).as_deref());
        lack(&mut slot, payer, nanodollars, now_ms)
    };
    payers.iter().filter_map(lack).reduce(Short::and)
}

impl Short {
    /// Both lack.
    fn and(mut self, other: Short) -> Short {
        self.missing.extend(other.missing);
        let retry_after_s = self.retry_after_s.zip(other.retry_after_s).map(|(a, b)| a.max(b));
        Short { available: self.available.min(other.available), retry_after_s, ..self }
    }
}

/// What one payer lacks.
fn lack(slot: &mut Slot, payer: &Payer, nanodollars: u64, now_ms: u64) -> Option<Short> {
    if slot.is_unbounded(payer, now_ms) {
        return None;
    }
    let dry = slot.dry_until(payer, now_ms);
    let cell = slot.open(payer).filter(|cell| cell.is_usable(now_ms));
    let (lease, available, reserved) =
        cell.map_or((0, 0, 0), |cell| (cell.lease, cell.available(), cell.reserved()));
    let need = nanodollars.checked_sub(available).filter(|need| *need > 0)?;
    let wanted = Wanted { account: payer.name().to_owned(), need, lease };
    Some(match dry {
        None => Short { missing: vec![wanted], available, retry_after_s: Some(1) },
        Some(retry_ms) => {
            let retry_after_s = retry_s(retry_ms, reserved, now_ms);
            Short { missing: Vec::new(), available, retry_after_s }
        }
    })
}

fn retry_s(retry_ms: u64, reserved: u64, now_ms: u64) -> Option<u64> {
    match retry_ms {
        _ if reserved > 0 => Some(HELD_RETRY_S),
        NEVER_MS => None,
        _ => Some(retry_ms.saturating_sub(now_ms).div_ceil(1_000).max(1)),
    }
}

/// Reserves `more` nano-dollars for the same request, from the same leases: its record names
/// them. Also those that are used for no new request can pay what they have left.
///
/// # Errors
/// Some lease cannot pay; nothing more is reserved. There is nothing to ask for where a lease
/// does not grow any more.
pub fn extend(
    table: &impl Table,
    reservation: &mut Reservation,
    more: u64,
    now_ms: u64,
) -> Result<(), Short> {
    let vm = reservation.vm;
    let mut held: Vec<bool> = Vec::with_capacity(reservation.parts.len());
    for part in &reservation.parts {
        match extend_one(table, part, vm, more, now_ms) {
            Ok(held_more) => held.push(held_more),
            Err(short) => {
                for (part, _) in reservation.parts.iter().zip(held).filter(|(_, held)| *held) {
                    hold_less(table, part, vm, more);
                }
                return Err(short);
            }
        }
    }
    for (part, _) in reservation.parts.iter_mut().zip(held).filter(|(_, held)| *held) {
        part.nanodollars = part.nanodollars.saturating_add(more);
    }
    reservation.nanodollars = reservation.nanodollars.saturating_add(more);
    Ok(())
}

/// `Ok(false)`: the account has no budget any more, and pays without holding anything.
fn extend_one(
    table: &impl Table,
    part: &Part,
    vm: u32,
    more: u64,
    now_ms: u64,
) -> Result<bool, Short> {
    let mut hold_more = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        if slot.is_unbounded(&part.payer, now_ms) {
            return (None, Ok(false));
        }
        let held = slot
            .lease(part.lease)
            .is_some_and(|cell| cell.hold_more((vm, part.epoch), more, now_ms));
        let said = if held { Ok(true) } else { Err(lack_of_lease(&mut slot, part, more, now_ms)) };
        (held.then(|| slot.written()), said)
    };
    table.change(&name(part.payer.slot), &mut hold_more).unwrap_or_else(|| Err(busy()))
}

fn lack_of_lease(slot: &mut Slot, part: &Part, more: u64, now_ms: u64) -> Short {
    let available = slot.lease(part.lease).map_or(0, |cell| cell.available());
    let grows = slot.open(&part.payer).is_some_and(|open| open.lease == part.lease);
    match lack(slot, &part.payer, more, now_ms).filter(|_| grows) {
        Some(short) => short,
        None => Short { available, ..busy() },
    }
}

fn hold_less(table: &impl Table, part: &Part, vm: u32, less: u64) {
    let mut change = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        if let Some(cell) = slot.lease(part.lease) {
            cell.hold_less((vm, part.epoch), less);
        }
        (Some(slot.written()), ())
    };
    let _ = change_surely(table, &name(part.payer.slot), &mut change);
}

/// The request has cost `cost` nano-dollars, 0 if it never reached an engine. What it cost
/// beyond its reservation is spent all the same; the rest of it can be reserved again.
pub fn settle(table: &impl Table, reservation: Reservation, cost: u64, now_ms: u64) {
    let vm = reservation.vm;
    for part in reservation.parts {
        let mut settle = |value: Option<&[u8]>| {
            let mut slot = Slot::of(value);
            let Some(cell) = slot.lease(part.lease) else { return (None, ()) };
            cell.settle((vm, part.epoch), part.nanodollars, cost, now_ms);
            (Some(slot.written()), ())
        };
        // Where others always are faster it stays reserved until the VM ends: too much is
        // held then, never too little.
        let _ = change_surely(table, &name(part.payer.slot), &mut settle);
    }
}
